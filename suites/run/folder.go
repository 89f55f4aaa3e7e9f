package run

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/etalon-sante/etalon/reports"
	"github.com/etalon-sante/etalon/reports/seal"
	"github.com/etalon-sante/etalon/sandbox/record"
	"github.com/etalon-sante/etalon/suites/candidate"
)

// The files of a run folder that judging reads.
const (
	infoFile      = "run.json"
	candidateFile = "candidate.json"
	manifestFile  = "candidate.yaml"
	journalFile   = "journal.jsonl"
)

// The files that are written from the report.
const (
	reportFile   = "report.json"
	htmlFile     = "index.html"
	htmlFileEN   = "index.en.html"
	junitFile    = "junit.xml"
	summaryFile  = "summary.md"
	maxInfo      = 8 << 20
	maxJournal   = 512 << 20 // bytes; a full run of the reference writes about 2 MiB
	maxLine      = 32 << 20
	folderFormat = 1
)

// Info is run.json: all that judging needs besides the journal.
type Info struct {
	Format    int               `json:"format"`
	ID        string            `json:"id"`
	Started   time.Time         `json:"started"`
	Duration  float64           `json:"duration"` // seconds of observation
	State     string            `json:"state"`    // observing, observed, interrupted, failed
	Failure   string            `json:"failure,omitempty"`
	Seed      int64             `json:"seed"`
	Strict    bool              `json:"strict"`
	Partial   bool              `json:"partial"`
	FreeUse   bool              `json:"freeUse,omitempty"` // a session of free use: no scenario was played
	Themes    []string          `json:"themes,omitempty"`
	Only      []string          `json:"only,omitempty"`
	Phase     string            `json:"phase"`
	Harness   Harness           `json:"harness"`
	Catalogue Named             `json:"catalogue"`
	Profile   ProfileInfo       `json:"profile"`
	Settings  string            `json:"settings"`
	Overrides map[string]string `json:"overrides,omitempty"`
	Sandbox   SandboxInfo       `json:"sandbox"`
	Resolver  string            `json:"resolver,omitempty"` // of the domain name system, as the user named it
	Roots     string            `json:"roots"`              // which trust roots: "system", "system and the run's own"
	Command   string            `json:"command"`
	Lang      string            `json:"lang,omitempty"`  // of the files that speak one language: fr or en
	Image     *ImageInfo        `json:"image,omitempty"` // of the candidate, where the run started one
	Plan      []Planned         `json:"plan"`
	Scenarios []string          `json:"scenarios"`
	Faults    json.RawMessage   `json:"faults,omitempty"`
	Notes     []Note            `json:"notes"`
	Secrets   map[string]int    `json:"secrets"` // kind -> how many names stand for a secret
	// TakenUp tells when a run that was stopped went on; scenarios that had ended
	// before were kept.
	TakenUp []time.Time `json:"takenUp,omitempty"`
}

// Harness is the build that ran.
type Harness struct {
	Version string `json:"version"`
	Go      string `json:"go"`
	Digest  string `json:"digest"` // SHA-256 of the executable, hexadecimal; empty when it could not be read
}

// Named is something known by a name and a digest.
type Named struct {
	Version string `json:"version"`
	Digest  string `json:"digest"`
}

// ProfileInfo is the profile as it was applied.
type ProfileInfo struct {
	Name     string   `json:"name"`
	Digest   string   `json:"digest"`
	Blocking []string `json:"blocking"`
}

// SandboxInfo says which sandbox it was.
type SandboxInfo struct {
	Form   string `json:"form"` // embedded, container, remote
	Build  string `json:"build"`
	Public string `json:"public"`
}

// ImageInfo is the container image that the run started.
type ImageInfo struct {
	Name   string `json:"name"`   // as the manifest names it
	Digest string `json:"digest"` // "sha256:" and hexadecimal digits, as its daemon names it
}

// Planned is one requirement of the catalogue as it was planned.
type Planned struct {
	Requirement string  `json:"requirement"`
	Decision    string  `json:"decision"` // judge, not-applicable, not-in-force, excluded, declared, asked, error
	Reason      RunText `json:"reason"`
}

// RunText is a sentence in two languages.
type RunText struct {
	FR string `json:"fr"`
	EN string `json:"en"`
}

// Note is something worth saying about the run as a whole.
type Note struct {
	Kind string  `json:"kind"`
	Text RunText `json:"text"`
}

// Folder is a run folder on disk.
type Folder struct {
	Path string

	mu      sync.Mutex
	journal *os.File
	err     error
	// Of the pictures kept: what the page held that each shows, by file, and bytes.
	shown    map[string]string
	pictures int64
}

// ErrForeign says that a folder holds files of others under names of ours.
var ErrForeign = errors.New("the folder holds a file that no run of étalon wrote there")

// ours are the names that a run writes.
func ours() []string {
	names := []string{infoFile, candidateFile, manifestFile, journalFile, personsFile, knownFile, testimonyFile}
	for _, f := range writers() {
		names = append(names, f.name)
	}
	return names
}

// CreateFolder makes a run folder ready. An earlier run there is replaced as a
// whole; foreign files are left alone, and refused when they bear a name that
// the run will write.
func CreateFolder(path string) (*Folder, error) {
	if st, err := os.Stat(path); err == nil && !st.IsDir() {
		return nil, fmt.Errorf("create run folder %s: %w: it is a file; name a folder with --out", path, ErrForeign)
	}
	if err := os.MkdirAll(path, 0o755); err != nil {
		return nil, fmt.Errorf("create run folder: %w", err)
	}
	if !holdsRun(path) {
		for _, name := range append(ours(), seal.StatementFile, seal.KeyFile) {
			if _, err := os.Lstat(filepath.Join(path, name)); err == nil {
				return nil, fmt.Errorf("create run folder %s: %w: %s; name another with --out, or move it away", path, ErrForeign, name)
			}
		}
	}
	for _, name := range ours() {
		if err := os.Remove(filepath.Join(path, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("replace the earlier run in %s: %w", path, err)
		}
	}
	old := &Folder{Path: path}
	if err := errors.Join(clearPictures(path, nil), old.clearAuthority(), seal.Remove(path)); err != nil {
		return nil, fmt.Errorf("replace the earlier run in %s: %w", path, err)
	}
	f, err := os.OpenFile(filepath.Join(path, journalFile), os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o644)
	if err != nil {
		return nil, fmt.Errorf("create run folder: %w", err)
	}
	return &Folder{Path: path, journal: f}, nil
}

// holdsRun says whether a folder holds a run of ours. A run.json of others is
// not enough: what stands beside it would be removed.
func holdsRun(path string) bool {
	var info Info
	return readJSON(filepath.Join(path, infoFile), &info) == nil && info.Format > 0 && info.ID != ""
}

// Abandon takes back a folder in which nothing could be recorded, so that the
// next run there does not take what is left for the file of another.
func (f *Folder) Abandon() error {
	err := f.Close()
	for _, name := range ours() {
		if e := os.Remove(filepath.Join(f.Path, name)); e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return errors.Join(err, clearPictures(f.Path, nil), f.clearAuthority(), seal.Remove(f.Path))
}

// Append writes records, one a line. Once writing has failed nothing more is
// tried, so that the journal never has a hole.
func (f *Folder) Append(records []record.Record) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return f.err
	}
	var b bytes.Buffer
	for _, r := range records {
		line, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("journal record %d: %w", r.Seq, err)
		}
		b.Write(line)
		b.WriteByte('\n')
	}
	if _, err := f.journal.Write(b.Bytes()); err != nil {
		f.err = fmt.Errorf("write journal: %w", err)
	}
	return f.err
}

// Close ends the journal.
func (f *Folder) Close() error { return f.journal.Close() }

// Put writes one file of the folder whole, or not at all.
func (f *Folder) Put(name string, content []byte) error {
	to := filepath.Join(f.Path, filepath.FromSlash(name))
	tmp := filepath.Join(filepath.Dir(to), "."+filepath.Base(to)+".part")
	if err := os.WriteFile(tmp, content, 0o644); err != nil {
		_ = os.Remove(tmp)
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := os.Rename(tmp, to); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// PutJSON writes one file of the folder as indented JSON.
func (f *Folder) PutJSON(name string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return f.Put(name, append(b, '\n'))
}

// Recorded is a run folder, read.
type Recorded struct {
	Info      Info
	Candidate candidate.Candidate
	Records   []record.Record
	Decisions []Decision     // of persons, about what is to be reviewed
	Known     *KnownList     // of known nonconformities; nil: none was given
	Truncated string         // why the journal ends early, when it does
	Files     []reports.File // that everyone may read and that the verdicts come from
	witnessed witnessed
}

// ReadFolder reads what judging needs. A journal whose last line is cut is read
// up to there, and said to be: what was recorded before stays good.
func ReadFolder(path string) (Recorded, error) {
	var out Recorded
	if err := readJSON(filepath.Join(path, infoFile), &out.Info); err != nil {
		return out, err
	}
	if out.Info.Format != folderFormat {
		return out, fmt.Errorf("read run folder %s: format %d, this build reads format %d", path, out.Info.Format, folderFormat)
	}
	if err := readJSON(filepath.Join(path, candidateFile), &out.Candidate); err != nil {
		return out, err
	}
	decided, err := ReadDecisions(filepath.Join(path, decisionsFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return out, err
	}
	out.Decisions = decided.Decisions
	if out.Known, err = knownIn(path); err != nil {
		return out, err
	}
	file, err := openRegular(filepath.Join(path, journalFile), maxJournal)
	if err != nil {
		return out, err
	}
	defer file.Close()
	if out.Records, out.Truncated, err = readJournal(file); err != nil {
		return out, err
	}
	if out.witnessed, err = hear(path, out); err != nil {
		return out, err
	}
	out.Files, err = weighed(path)
	return out, err
}

// batch is how many lines of a journal are decoded at once: enough for every
// processor, few enough that lines of the largest size fit in memory.
const batch = 64

// readJournal reads records in their order. Decoding them is most of what
// judging a folder costs, so it is done on every processor. A last line that is
// cut is left out, and said.
func readJournal(file io.Reader) (records []record.Record, truncated string, err error) {
	lines := bufio.NewReaderSize(file, 1<<20)
	for ended := false; !ended; {
		var raw [][]byte
		for len(raw) < batch && !ended {
			line, err := readLine(lines)
			ended = errors.Is(err, io.EOF)
			if err != nil && !ended {
				return records, "", fmt.Errorf("read %s: line %d: %w", journalFile, len(records)+len(raw)+1, err)
			}
			if !ended || len(line) > 0 {
				raw = append(raw, line)
			}
		}
		got, wrong := decodeLines(raw)
		for i, err := range wrong {
			if err == nil {
				records = append(records, got[i])
				continue
			}
			if n := len(records) + 1; ended && i == len(raw)-1 && cut(raw[i]) {
				return records, fmt.Sprintf("line %d is cut", n), nil
			}
			return records, "", fmt.Errorf("read %s: line %d: %w", journalFile, len(records)+1, err)
		}
	}
	return records, "", nil
}

// cut tells whether writing stopped within a line.
func cut(line []byte) bool { return !bytes.HasSuffix(line, []byte("\n")) && !json.Valid(line) }

func decodeLines(raw [][]byte) ([]record.Record, []error) {
	out, errs := make([]record.Record, len(raw)), make([]error, len(raw))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(raw)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(raw); i = int(next.Add(1)) - 1 {
				if errs[i] = json.Unmarshal(raw[i], &out[i]); errs[i] == nil {
					errs[i] = wellFormed(out[i])
				}
			}
		})
	}
	wg.Wait()
	return out, errs
}

// readLine reads up to the end of a line, and no further than a line may be.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		if line = append(line, part...); len(line) > maxLine {
			return nil, fmt.Errorf("longer than %d bytes", maxLine)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}

// wellFormed refuses a record whose kind and content disagree: specs rely on it.
func wellFormed(r record.Record) error {
	is := map[record.Kind]bool{
		record.KindExchange: r.Exchange != nil, record.KindPilot: r.Pilot != nil,
		record.KindProbe: r.Probe != nil, record.KindMark: r.Mark != nil,
	}
	n := 0
	for _, set := range is {
		if set {
			n++
		}
	}
	if !is[r.Kind] || n != 1 {
		return fmt.Errorf("a record of kind %q must hold just that", r.Kind)
	}
	return nil
}

func readJSON(path string, into any) error {
	file, err := openRegular(path, maxInfo)
	if err != nil {
		return err
	}
	defer file.Close()
	d := json.NewDecoder(io.LimitReader(file, maxInfo))
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("read %s: something follows the JSON value", path)
	}
	return nil
}

// readRegular reads a file that is no link and not too large.
func readRegular(path string, most int64) ([]byte, error) {
	file, err := openRegular(path, most)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, most))
}

// openRegular opens a file that is no link and not too large.
func openRegular(path string, most int64) (*os.File, error) {
	st, err := os.Lstat(path)
	if err != nil {
		return nil, fmt.Errorf("read run folder: %w", err)
	}
	if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("read %s: not a regular file", path)
	}
	if st.Size() > most {
		return nil, fmt.Errorf("read %s: %d bytes, more than the %d that are read", path, st.Size(), most)
	}
	return os.Open(path)
}
