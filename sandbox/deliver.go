package sandbox

import (
	"bytes"
	"net/http"
	"strconv"
	"time"

	"github.com/etalon-sante/etalon/sandbox/control"
	"github.com/etalon-sante/etalon/sandbox/exchange"
)

const (
	pieces    = 10       // of a slow answer
	pieceSize = 64 << 10 // of a huge one
)

// deliver sends the answer to an exchange, as a planned fault wants it sent. It
// puts the exchange into the journal.
func (sp *space) deliver(w http.ResponseWriter, x *exchange.Exchange, answer exchange.Answer) {
	f := x.Planned
	if f == nil {
		f = &control.Fault{}
	}
	planned := " (planned fault " + f.ID + ")"
	switch f.Kind {
	case control.FaultDelay:
		problem := sp.wait(x.HTTP, time.Duration(f.Millis)*time.Millisecond)
		sp.write(x, answer, problem)
		send(w, answer, 0)
	case control.FaultHang:
		sp.write(x, exchange.Answer{}, "no answer was given"+planned)
		sp.wait(x.HTTP, 0)
		panic(http.ErrAbortHandler)
	case control.FaultDrop:
		sp.write(x, exchange.Answer{}, "the connection was closed before the answer"+planned)
		panic(http.ErrAbortHandler)
	case control.FaultCut:
		cutAt := len(answer.Body) / 2
		sp.write(x, cutBody(answer, cutAt), "the connection was cut in the middle of the body"+planned)
		send(w, answer, cutAt)
	case control.FaultSlow:
		sp.write(x, answer, "")
		sp.trickle(w, x.HTTP, answer, time.Duration(f.Millis)*time.Millisecond)
	case control.FaultHuge:
		// How much was taken is known afterwards only.
		sp.writeSized(x, answer, flood(w, answer, f.Bytes))
	default:
		sp.write(x, answer, "")
		send(w, answer, 0)
	}
}

// trickle sends a body in pieces, spread over a time.
func (sp *space) trickle(w http.ResponseWriter, r *http.Request, a exchange.Answer, over time.Duration) {
	c := http.NewResponseController(w)
	_ = c.SetWriteDeadline(time.Now().Add(over + writeTimeout))
	head(w, a, len(a.Body))
	step := max(1, len(a.Body)/pieces)
	for at := 0; at < len(a.Body); at += step {
		if _, err := w.Write(a.Body[at:min(at+step, len(a.Body))]); err != nil {
			return
		}
		_ = c.Flush()
		if sp.wait(r, over/pieces) != "" {
			panic(http.ErrAbortHandler)
		}
	}
}

// flood sends a body and then blanks, which JSON allows, up to a size; it says
// how many bytes could be written before the client went away.
func flood(w http.ResponseWriter, a exchange.Answer, size int) int {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTimeout))
	size = max(size, len(a.Body))
	head(w, a, size)
	sent, err := w.Write(a.Body)
	blanks := bytes.Repeat([]byte{' '}, pieceSize)
	for err == nil && sent < size {
		var n int
		n, err = w.Write(blanks[:min(pieceSize, size-sent)])
		sent += n
	}
	return sent
}

func head(w http.ResponseWriter, a exchange.Answer, size int) {
	h := w.Header()
	for k, v := range a.Header {
		h[k] = v
	}
	if !leads(a.Status) {
		h.Set("Content-Length", strconv.Itoa(size))
	}
	w.WriteHeader(a.Status)
}

// leads says whether an answer is a redirection, which has no body here.
func leads(status int) bool { return status/100 == 3 }
