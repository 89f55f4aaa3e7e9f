package evidence

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"strings"
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/webp"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/internal/plain"
	"github.com/etalon-sante/etalon/reports/words"
)

// Measures of an annotated picture, in pixels.
const (
	maxPixels = 24 << 20 // of a picture that is read
	margin    = 20
	border    = 2
	narrowest = 640
	widest    = 1600
	textSize  = 15
	headSize  = 19
	leading   = 1.4
	maxLines  = 8 // of one paragraph of the caption
)

// ErrPicture says that bytes are no picture that can be annotated.
var ErrPicture = errors.New("no picture that can be annotated")

// Picture writes a picture of the run (WebP) as a PNG with a caption that says
// what it is of and what to look at. What the picture itself shows is unchanged.
func Picture(w io.Writer, i Item, p reports.Picture, content []byte, lang string) error {
	l, err := words.Parse(lang)
	if err != nil {
		return fmt.Errorf("annotate a picture: %w", err)
	}
	head, err := webp.DecodeConfig(bytes.NewReader(content))
	if err != nil || head.Width < 1 || head.Height < 1 || head.Width*head.Height > maxPixels {
		return fmt.Errorf("annotate a picture: %w: %w", ErrPicture, errors.Join(err))
	}
	shot, err := webp.Decode(bytes.NewReader(content))
	if err != nil {
		return fmt.Errorf("annotate a picture: %w: %w", ErrPicture, err)
	}
	out, err := annotated(i, p, shot, l)
	if err != nil {
		return fmt.Errorf("annotate a picture: %w", err)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, out); err != nil {
		return fmt.Errorf("annotate a picture: %w", err)
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("annotate a picture: %w", err)
	}
	return nil
}

// paragraph is text in one type, broken into lines.
type paragraph struct {
	lines []string
	face  typeface
	size  float64
	ink   color.Color
	bar   bool // a coloured bar stands before it
}

func annotated(i Item, p reports.Picture, shot image.Image, l words.Lang) (image.Image, error) {
	regular, err := face(goregular.TTF, textSize)
	if err != nil {
		return nil, err
	}
	bold, err := face(gobold.TTF, headSize)
	if err != nil {
		return nil, err
	}
	strong, err := face(gobold.TTF, textSize)
	if err != nil {
		return nil, err
	}
	s := i.said(l)
	width := min(max(shot.Bounds().Dx(), narrowest), max(widest, shot.Bounds().Dx()))
	ink, soft := color.RGBA{0x1b, 0x1f, 0x24, 0xff}, color.RGBA{0x4a, 0x55, 0x68, 0xff}
	tone := toneOf(i.Check.Verdict)
	broken := func(text string, f typeface) []string { return wrap(text, f, width-16) }
	above := []paragraph{
		{lines: broken(s.Requirement, regular), face: regular, size: textSize, ink: soft},
		{lines: broken(s.Head, bold), face: bold, size: headSize, ink: ink},
		{lines: broken(s.Verdict, strong), face: strong, size: textSize, ink: tone, bar: true},
	}
	if s.Seen != "" {
		above = append(above, paragraph{lines: broken(s.Seen, regular), face: regular, size: textSize, ink: ink, bar: true})
	}
	shows := l.Name("picture", p.Of) + l.Pick("\u00a0: ", ": ") + l.Typeset(l.Of(plain.Deep(p.Alt)))
	below := []paragraph{
		{lines: broken(shows, regular), face: regular, size: textSize, ink: ink},
		{lines: broken(s.Run, regular), face: regular, size: textSize, ink: soft},
		{lines: broken(s.Note, regular), face: regular, size: textSize, ink: soft},
	}
	top, bottom := height(above), height(below)
	size := image.Rect(0, 0, width+2*margin, margin+top+border+shot.Bounds().Dy()+border+8+bottom+margin)
	out := image.NewRGBA(size)
	draw.Draw(out, size, image.White, image.Point{}, draw.Src)
	write(out, above, margin, tone)
	at := image.Pt(margin+(width-shot.Bounds().Dx())/2, margin+top+border)
	frame := shot.Bounds().Sub(shot.Bounds().Min).Add(at).Inset(-border)
	draw.Draw(out, frame, image.NewUniform(tone), image.Point{}, draw.Src)
	draw.Draw(out, frame.Inset(border), shot, shot.Bounds().Min, draw.Over)
	write(out, below, frame.Max.Y+8, tone)
	return out, nil
}

// toneOf is the colour of a verdict, that of the report page.
func toneOf(v reports.Verdict) color.RGBA {
	switch v {
	case reports.Conformant:
		return color.RGBA{0x1b, 0x6e, 0x3c, 0xff}
	case reports.Nonconformant:
		return color.RGBA{0xb3, 0x21, 0x1d, 0xff}
	case reports.Deviation:
		return color.RGBA{0x7a, 0x3e, 0x9d, 0xff}
	case reports.ToReview:
		return color.RGBA{0x8a, 0x5a, 0x00, 0xff}
	}
	return color.RGBA{0x4a, 0x55, 0x68, 0xff}
}

// typeface is a type at a size, and which characters it has.
type typeface struct {
	font.Face
	has func(r rune) bool
}

func face(ttf []byte, size float64) (typeface, error) {
	f, err := opentype.Parse(ttf)
	if err != nil {
		return typeface{}, err
	}
	made, err := opentype.NewFace(f, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingFull})
	return typeface{made, func(r rune) bool {
		i, err := f.GlyphIndex(nil, r)
		return err == nil && i != 0
	}}, err
}

// wrap breaks text into lines that fit, words whole where they can be; what goes
// beyond maxLines is left out, and said to be.
func wrap(text string, f typeface, width int) []string {
	room := fixed.I(width)
	var lines []string
	line := ""
	for _, word := range strings.Fields(drawable(text, f)) {
		for { // a word wider than a line is broken where it must be
			next := strings.TrimSpace(line + " " + word)
			if font.MeasureString(f, next) <= room {
				line = next
				break
			}
			if line != "" {
				lines, line = append(lines, line), ""
				continue
			}
			cut := 1
			runes := []rune(word)
			for cut < len(runes) && font.MeasureString(f, string(runes[:cut+1])) <= room {
				cut++
			}
			lines, word = append(lines, string(runes[:cut])), string(runes[cut:])
			if word == "" {
				break
			}
		}
		if len(lines) > maxLines {
			return append(lines[:maxLines-1], lines[maxLines-1]+" …")
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// drawable is text with what the type has no sign for replaced.
func drawable(text string, f typeface) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '\u202f':
			return '\u00a0'
		case '\u2060', '\ufeff':
			return -1
		}
		if f.has(r) || unicode.IsSpace(r) {
			return r
		}
		return '?'
	}, text)
}

func height(all []paragraph) int {
	h := 0.0
	for _, p := range all {
		h += float64(len(p.lines))*p.size*leading + 6
	}
	return int(h) + 6
}

func write(out *image.RGBA, all []paragraph, top int, tone color.RGBA) {
	y := float64(top)
	for _, p := range all {
		x := margin
		if p.bar {
			x += 12
			bar := image.Rect(margin, int(y)+2, margin+4, int(y+float64(len(p.lines))*p.size*leading)+2)
			draw.Draw(out, bar, image.NewUniform(tone), image.Point{}, draw.Src)
		}
		for _, line := range p.lines {
			y += p.size * leading
			d := font.Drawer{Dst: out, Src: image.NewUniform(p.ink), Face: p.face.Face, Dot: fixed.P(x, int(y-p.size*0.3))}
			d.DrawString(line)
		}
		y += 6
	}
}
