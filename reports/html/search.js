(()=>{
"use strict";
const all=[...document.querySelectorAll(".chapter>details")],bar=document.getElementById("find"),q=document.getElementById("q"),theme=document.getElementById("in"),blocking=document.getElementById("must"),told=document.getElementById("found"),clear=document.getElementById("clear"),unfold=document.getElementById("unfold");
if(!bar||!all.length)return;
const boxes=[...document.querySelectorAll(".filter input")];
const plain=s=>s.normalize("NFD").replace(/\p{M}/gu,"").replace(/[’ʼ]/g,"'").toLowerCase();
const verdict=d=>d.classList[0],themeOf=d=>d.closest(".theme").querySelector("h3").id;
let texts=null,timer=0;
const state=()=>{
const p=new URLSearchParams();
if(q.value.trim())p.set("q",q.value.trim());
if(theme.value)p.set("theme",theme.value);
if(blocking.checked)p.set("blocking","1");
const off=boxes.filter(b=>!b.checked).map(b=>b.id.slice(5));
if(off.length)p.set("hide",off.join(","));
return p.toString();
};
const say=n=>{
clearTimeout(timer);
timer=setTimeout(()=>{told.textContent=(n===0?told.dataset.none:n===1?told.dataset.single:told.dataset.many).replace("#",n).replace("%",all.length);},250);
};
const apply=keep=>{
const words=plain(q.value).split(/\s+/).filter(Boolean);
if(words.length&&!texts)texts=all.map(d=>plain(d.textContent));
const off=new Set(boxes.filter(b=>!b.checked).map(b=>b.id.slice(5)));
let n=0;
all.forEach((d,i)=>{
const shown=!off.has(verdict(d))&&(!theme.value||themeOf(d)===theme.value)&&(!blocking.checked||d.classList.contains("blocking"))&&words.every(w=>texts[i].includes(w));
d.hidden=!shown;if(shown)n++;
});
for(const s of document.querySelectorAll(".chapter,.theme"))s.hidden=!s.querySelector("details:not([hidden])");
const now=state();
clear.hidden=!now;
if(now||told.textContent)say(n);
if(!keep)try{history.replaceState(null,"",now?"#?"+now:location.pathname+location.search);}catch{if(now)location.hash="?"+now;}
};
const reveal=()=>{
const h=location.hash;
if(h.startsWith("#?")){
const p=new URLSearchParams(h.slice(2)),off=(p.get("hide")||"").split(",");
q.value=p.get("q")||"";theme.value=p.get("theme")||"";if(theme.selectedIndex<0)theme.value="";blocking.checked=p.get("blocking")==="1";
for(const b of boxes)b.checked=!off.includes(b.id.slice(5));
apply(true);
return;
}
const at=h.length>1&&document.getElementById(decodeURIComponent(h.slice(1))),d=at&&at.closest("details");
if(!d)return;
for(let e=d;e;e=e.parentElement)e.hidden=false;
d.open=true;d.scrollIntoView();d.querySelector("summary").focus({preventScroll:true});
};
q.addEventListener("input",()=>apply());
q.addEventListener("keydown",e=>{
if(e.key==="Enter"){const d=all.find(d=>!d.hidden);if(d){d.querySelector("summary").focus();e.preventDefault();}}
if(e.key==="Escape"&&q.value){q.value="";apply();e.preventDefault();}
});
for(const c of [theme,blocking,...boxes])c.addEventListener("change",()=>apply());
clear.addEventListener("click",()=>{q.value="";theme.value="";blocking.checked=false;for(const b of boxes)b.checked=true;apply();q.focus();});
unfold.addEventListener("click",()=>{const open=unfold.getAttribute("aria-pressed")!=="true";unfold.setAttribute("aria-pressed",open);for(const d of all)if(!d.hidden)d.open=open;});
addEventListener("hashchange",reveal);
let shut=[];
addEventListener("beforeprint",()=>{shut=[...document.querySelectorAll("details:not([open])")];for(const d of shut)d.open=true;});
addEventListener("afterprint",()=>{for(const d of shut)d.open=false;});
bar.hidden=false;
reveal();
if(boxes.some(b=>!b.checked))apply(true);
})();
