package pilot_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// role makes the test binary play a candidate, so that these tests need no
// shell and no other language.
const role = "ETALON_TEST_ROLE"

func TestMain(m *testing.M) {
	if r := os.Getenv(role); r != "" {
		play(r)
		return
	}
	goleak.VerifyTestMain(m)
}

// play is one candidate of the exec pilot, or one that is started.
func play(r string) {
	switch r {
	case "good":
		var call struct {
			Action, Run, Patient string
			Payload              map[string]any
		}
		if err := json.NewDecoder(os.Stdin).Decode(&call); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(9)
		}
		fmt.Fprintln(os.Stderr, "asked for", call.Action)
		fmt.Printf(`{"status":"done","message":"%s %s %v"}`+"\n", call.Action, call.Patient, call.Payload["kind"])
	case "hang": // with a child in the same group, which hangs too
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), role+"=hang alone")
		_ = child.Start()
		<-time.After(time.Hour)
	case "hang alone":
		<-time.After(time.Hour)
	case "endless":
		line := []byte(strings.Repeat("x", 1<<16))
		for {
			if _, err := os.Stdout.Write(line); err != nil {
				return
			}
		}
	case "exit 3":
		fmt.Fprintln(os.Stderr, "first line\nno database")
		os.Exit(3)
	case "chatter":
		fmt.Println("starting up…")
		fmt.Println(`{"status":"done"}`)
	case "silent":
	case "noise":
		for range 1 << 12 {
			fmt.Fprintln(os.Stderr, strings.Repeat("n", 100))
		}
		fmt.Println(`{"status":"done"}`)
	case "leaves a child":
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), role+"=hang alone")
		child.Stdout, child.Stderr = os.Stdout, os.Stderr
		if err := child.Start(); err != nil {
			os.Exit(8)
		}
		fmt.Println(`{"status":"done"}`)
	case "serve", "serve 503", "dies later":
		fmt.Println("listening")
		n := 0
		err := http.ListenAndServe(os.Getenv("ADDRESS"), http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			n++
			if req.URL.Path == "/die" {
				fmt.Println("dying")
				os.Exit(7)
			}
			if r == "serve 503" {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
			_, _ = io.WriteString(w, os.Getenv("GREETING"))
		}))
		fmt.Println(err)
		os.Exit(6)
	case "dies at once":
		fmt.Println("cannot bind the port")
		os.Exit(5)
	default:
		fmt.Fprintln(os.Stderr, "unknown role", r)
		os.Exit(10)
	}
}
