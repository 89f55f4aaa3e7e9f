package pilot

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/etalon-sante/etalon/suites/candidate"
)

// Account is what a person needs to sign in to the sandbox as a test patient.
type Account struct{ Login, Password string }

// ManualOptions say with whom the manual pilot speaks.
type ManualOptions struct {
	In   io.Reader // the person's keyboard
	Out  io.Writer // the person's screen
	Lang string    // "fr" or "en"
	// Watch, when not nil, is called as a step begins; the channel that it
	// returns is closed once the sandbox has seen the step done, so that the
	// person need not press a key. The context ends with the step.
	Watch func(ctx context.Context, call candidate.Call) <-chan struct{}
	// Patient, when not nil, gives the sandbox account of a patient handle.
	Patient func(handle string) (Account, bool)
	// Note, when not nil, adds to what is said of a step what the call itself
	// does not hold: which purposes the patient agrees to, for example.
	Note func(call candidate.Call) string
	// Accounts is how many accounts of the service have served on another day:
	// they are not used again.
	Accounts int
}

// Manual is a pilot that a person carries out at a terminal, one step at a
// time. It is safe for concurrent use: calls wait for their turn.
//
// One goroutine reads In until it ends or Close is called; a read of a terminal
// cannot be interrupted, so that it may outlive Close by one line.
type Manual struct {
	o     ManualOptions
	turn  chan struct{} // holds one token: whose turn it is
	read  sync.Once
	lines chan string   // closed at the end of In
	quit  chan struct{} // closed by Close
	shut  sync.Once

	// Used by the holder of the turn.
	step     int
	patients map[string]int // handle -> number of the account in the service
	ticked   bool           // the last step ended without a key
}

// NewManual returns a pilot that speaks to a person.
func NewManual(o ManualOptions) *Manual {
	m := &Manual{o: o, turn: make(chan struct{}, 1), lines: make(chan string), quit: make(chan struct{}), patients: map[string]int{}}
	m.turn <- struct{}{}
	return m
}

// Do says what to do and waits until the person answers, the sandbox has seen
// it, or the context ends. A person who stops for today, or the end of the
// input, gives ErrStopped.
func (m *Manual) Do(ctx context.Context, call candidate.Call) (candidate.Answer, error) {
	var none candidate.Answer
	select {
	case <-m.turn:
		defer func() { m.turn <- struct{}{} }()
	case <-ctx.Done():
		return none, m.ended(ctx, call)
	}
	if ctx.Err() != nil {
		return none, m.ended(ctx, call)
	}
	m.read.Do(func() { go m.readLines() })
	m.dropLateKey()
	payload, err := json.Marshal(call.Payload)
	if err != nil {
		return none, fmt.Errorf("action %s: write the call: %w", call.Action, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var seen <-chan struct{}
	if m.o.Watch != nil {
		seen = m.o.Watch(ctx, call)
	}
	m.announce(call, payload)
	return m.outcome(ctx, call, payload, seen)
}

func (m *Manual) readLines() {
	defer close(m.lines)
	scanner := bufio.NewScanner(m.o.In)
	scanner.Buffer(nil, 64<<10)
	for scanner.Scan() {
		select {
		case m.lines <- strings.TrimSpace(strings.ToValidUTF8(scanner.Text(), "?")):
		case <-m.quit:
			return
		}
	}
}

// Close ends the conversation: a step in progress ends as if the input had.
func (m *Manual) Close() { m.shut.Do(func() { close(m.quit) }) }

// dropLateKey forgets a key pressed while the sandbox ticked the last step off:
// it was meant for that step.
func (m *Manual) dropLateKey() {
	if !m.ticked {
		return
	}
	m.ticked = false
	select {
	case <-m.lines:
	default:
	}
}

func (m *Manual) ended(ctx context.Context, call candidate.Call) error {
	if stopped := gaveUp(ctx, call); stopped != nil {
		return stopped
	}
	return fault(Timeout, "nobody answered the step %q in time", call.Action)
}

// say writes a line for the person. Control characters never reach the
// terminal.
func (m *Manual) say(format string, args ...any) {
	text := strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 {
			return -1
		}
		return r
	}, fmt.Sprintf(format, args...))
	// A screen that is gone shows nothing; the input's end then stops the run.
	_, _ = fmt.Fprintln(m.o.Out, text)
}

func (m *Manual) in(fr, en string) string {
	if m.o.Lang == "fr" {
		return fr
	}
	return en
}

func (m *Manual) announce(call candidate.Call, payload json.RawMessage) {
	m.step++
	m.say("\n── %s %d ── %s", m.in("À vous : étape", "Your turn: step"), m.step, m.title(call.Action))
	if call.Patient != "" {
		n, known := m.patients[call.Patient]
		if !known {
			n = m.o.Accounts + len(m.patients) + 1
			m.patients[call.Patient] = n
		}
		m.say(m.in("   Compte de votre service : patient de test n° %d", "   Account in your service: test patient no. %d"), n)
		if !known {
			m.say("%s", m.in("   (nouveau : créez-le s'il n'existe pas)", "   (new: create it if it does not exist)"))
		}
		if m.o.Patient != nil {
			if a, ok := m.o.Patient(call.Patient); ok {
				m.say(m.in("   Page de connexion du bac à sable : identifiant %s, mot de passe %s", "   Sign-in page of the sandbox: login %s, password %s"), a.Login, a.Password)
			}
		}
	}
	for _, line := range m.steps(call.Action, payload) {
		m.say("   • %s", line)
	}
	if m.o.Note != nil {
		if note := m.o.Note(call); note != "" {
			m.say("   ! %s", note)
		}
	}
	if m.o.Watch != nil && !reports(call.Action) {
		m.say("%s", m.in("   Le bac à sable coche l'étape dès qu'il la voit.", "   The sandbox ticks the step off as soon as it sees it."))
	}
}

// reports says whether the person must tell what the service shows: no sandbox
// can see that.
func reports(a candidate.Action) bool {
	switch a {
	case candidate.Configure, candidate.Status, candidate.ReadMeasures, candidate.SearchDocuments, candidate.ReadDocument, candidate.ReadAppointments:
		return true
	}
	return false
}

// outcome waits for how the step went.
func (m *Manual) outcome(ctx context.Context, call candidate.Call, payload json.RawMessage, seen <-chan struct{}) (candidate.Answer, error) {
	var none candidate.Answer
	prompt := m.in(
		"   f fait · r refusé par le service · e échec · i impossible ici · s arrêter pour aujourd'hui, puis Entrée",
		"   d done · r refused by the service · f failed · n not possible here · s stop for today, then Enter")
	m.say("%s", prompt)
	for {
		line, ticked, err := m.wait(ctx, call, seen)
		if err != nil {
			return none, err
		}
		if ticked {
			seen = nil
			if !reports(call.Action) {
				m.ticked = true
				m.say("   ✓ %s", m.in("vu par le bac à sable", "seen by the sandbox"))
				return candidate.Answer{Status: "done"}, nil
			}
			m.say("   ✓ %s", m.in("demande vue par le bac à sable ; dites maintenant ce que montre le service", "request seen by the sandbox; now say what the service shows"))
			continue
		}
		// A link in place of a letter: the harness plays the browser from there.
		if call.Action == candidate.Pair && checkOpen(line) == nil {
			return candidate.Answer{Status: "done", Open: line}, nil
		}
		letter, message, _ := strings.Cut(line, " ")
		switch status := m.status(strings.ToLower(letter)); status {
		case "stop":
			return none, ErrStopped
		case "":
			m.say("%s", prompt)
		case "done":
			data, err := m.observed(ctx, call, payload)
			if err != nil {
				return none, err
			}
			return candidate.Answer{Status: "done", Data: data, Message: short(message, maxMessage)}, nil
		default:
			return candidate.Answer{Status: status, Message: short(strings.TrimSpace(message), maxMessage)}, nil
		}
	}
}

func (m *Manual) status(letter string) string {
	letters := map[string]string{"d": "done", "r": "refused", "f": "failed", "n": "unsupported", "s": "stop"}
	if m.o.Lang == "fr" {
		letters = map[string]string{"f": "done", "r": "refused", "e": "failed", "i": "unsupported", "s": "stop"}
	}
	return letters[letter]
}

// wait returns the next line, or that the sandbox has seen the step.
func (m *Manual) wait(ctx context.Context, call candidate.Call, seen <-chan struct{}) (line string, ticked bool, err error) {
	select {
	case line, ok := <-m.lines:
		if !ok {
			return "", false, fmt.Errorf("the input has ended: %w", ErrStopped)
		}
		return line, false, nil
	case <-m.quit:
		return "", false, fmt.Errorf("the conversation was closed: %w", ErrStopped)
	case <-seen:
		return "", true, nil
	case <-ctx.Done():
		return "", false, m.ended(ctx, call)
	}
}

// ask puts one question and returns the line that answers it.
func (m *Manual) ask(ctx context.Context, call candidate.Call, question string) (string, error) {
	m.say("   ? %s", question)
	line, _, err := m.wait(ctx, call, nil)
	return line, err
}

// yes puts a question that is answered by yes or no.
func (m *Manual) yes(ctx context.Context, call candidate.Call, question string) (bool, error) {
	for {
		line, err := m.ask(ctx, call, question+m.in(" (o/n, s pour arrêter)", " (y/n, s to stop)"))
		if err != nil {
			return false, err
		}
		switch strings.ToLower(line) {
		case "o", "oui", "y", "yes":
			return true, nil
		case "n", "non", "no":
			return false, nil
		case "s":
			return false, ErrStopped
		}
	}
}

// errNotUnderstood makes a question be put again.
var errNotUnderstood = errors.New("not understood")

// list collects lines until an empty one, each turned into a value by parse.
func (m *Manual) list(ctx context.Context, call candidate.Call, question string, parse func(string) (any, error)) ([]any, error) {
	const most = 1000
	out := []any{}
	m.say("   ? %s", question)
	for len(out) < most {
		line, _, err := m.wait(ctx, call, nil)
		switch {
		case err != nil:
			return nil, err
		case line == "":
			return out, nil
		case strings.EqualFold(line, "s"):
			return nil, ErrStopped
		}
		value, err := parse(line)
		if err != nil {
			m.say("   ? %s", err)
			continue
		}
		out = append(out, value)
	}
	return out, nil
}
