package candidate

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/etalon-sante/etalon/suites/probe/apk"
)

// application looks whether the application's file is there and is one that may
// be read. It is read while observing, and its digest is taken then.
func (c *checker) application() {
	name := c.m.Candidate.Application.APK
	if name == "" {
		return
	}
	path := []string{"application", "apk"}
	refuse := func(found Text) {
		c.add(path, Text{}, found, Text{
			EN: "build the APK that is published, copy it beside the manifest and write its name here; without an application, remove the field",
			FR: "construisez l’APK publié, copiez-le à côté du manifeste et écrivez ici son nom ; sans application, retirez ce champ",
		})
	}
	switch strings.ToLower(filepath.Ext(name)) {
	case ".aab", ".apks", ".xapk", ".apkm":
		c.add(path, Text{}, quoted(name), Text{
			EN: "of a bundle or of parts make one whole APK with \"bundletool build-apks --mode=universal\"",
			FR: "d’un paquet ou d’un APK en morceaux, faites un APK entier avec « bundletool build-apks --mode=universal »",
		})
		return
	}
	if !filepath.IsLocal(name) {
		c.add(path, Text{EN: "a path in the folder of the manifest or below", FR: "un chemin dans le dossier du manifeste ou au-dessous"}, quoted(name), Text{})
		return
	}
	whole := c.absolute(path, name)
	info, err := os.Stat(whole)
	if err == nil && info.Mode().IsRegular() {
		var f *os.File
		if f, err = os.Open(whole); err == nil {
			err = f.Close()
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		refuse(Text{EN: "no file " + name, FR: "aucun fichier " + name})
	case err != nil:
		refuse(Text{EN: "a file that cannot be read (" + plain(err) + ")", FR: "un fichier illisible (" + plain(err) + ")"})
	case !info.Mode().IsRegular():
		refuse(Text{EN: "something that is no regular file", FR: "autre chose qu’un fichier ordinaire"})
	case info.Size() > apk.MaxSize:
		refuse(Text{EN: fmt.Sprintf("%d bytes", info.Size()), FR: fmt.Sprintf("%d octets", info.Size())})
	default:
		c.m.Application = whole
	}
}
