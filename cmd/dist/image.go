package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// nobody is the user of the image, as of the one that `etalon image` makes.
const nobody = 65534

// writeImage writes an image FROM scratch that holds a program, as an archive that
// both `docker load` and tools of OCI layouts read. It is what
// sandbox/container makes with a daemon: the same user, folder and entry.
func writeImage(path, program string, p platform, o options) (err error) {
	content, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	layer, err := layerOf(content, o.made)
	if err != nil {
		return err
	}
	blobs := map[digest.Digest][]byte{}
	put := func(media string, b []byte) ocispec.Descriptor {
		d := digest.FromBytes(b)
		blobs[d] = b
		return ocispec.Descriptor{MediaType: media, Digest: d, Size: int64(len(b))}
	}
	layerBlob := put(ocispec.MediaTypeImageLayer, layer)
	config, err := json.Marshal(ocispec.Image{
		Created: &o.made, Platform: ocispec.Platform{OS: p.os, Architecture: p.arch},
		Config: ocispec.ImageConfig{
			User: "65534:65534", Env: []string{"HOME=/state", "XDG_CONFIG_HOME=/state", "TMPDIR=/state"},
			Entrypoint: []string{"/etalon"}, ExposedPorts: map[string]struct{}{"4433/tcp": {}, "4434/tcp": {}},
			Labels: map[string]string{
				ocispec.AnnotationTitle: "étalon", ocispec.AnnotationVersion: o.version, ocispec.AnnotationLicenses: "Apache-2.0",
				ocispec.AnnotationSource: "https://github.com/etalon-sante/etalon",
			},
		},
		RootFS: ocispec.RootFS{Type: "layers", DiffIDs: []digest.Digest{layerBlob.Digest}},
	})
	if err != nil {
		return err
	}
	configBlob := put(ocispec.MediaTypeImageConfig, config)
	manifest, err := json.Marshal(ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest,
		Config: configBlob, Layers: []ocispec.Descriptor{layerBlob},
	})
	if err != nil {
		return err
	}
	image := put(ocispec.MediaTypeImageManifest, manifest)
	image.Platform = &ocispec.Platform{OS: p.os, Architecture: p.arch}
	tag := "etalon:" + p.arch
	image.Annotations = map[string]string{"io.containerd.image.name": "docker.io/library/" + tag, ocispec.AnnotationRefName: p.arch}
	index, err := json.Marshal(ocispec.Index{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Manifests: []ocispec.Descriptor{image},
	})
	if err != nil {
		return err
	}
	// What `docker save` writes beside the layout, for readers older than it.
	older, err := json.Marshal([]map[string]any{{
		"Config": blobName(configBlob.Digest), "RepoTags": []string{tag}, "Layers": []string{blobName(layerBlob.Digest)},
	}})
	if err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := tar.NewWriter(f)
	for _, x := range []struct {
		name string
		b    []byte
	}{
		{ocispec.ImageLayoutFile, []byte(`{"imageLayoutVersion":"` + ocispec.ImageLayoutVersion + `"}`)},
		{ocispec.ImageIndexFile, index},
		{"manifest.json", older},
		{blobName(image.Digest), manifest},
		{blobName(configBlob.Digest), config},
		{blobName(layerBlob.Digest), layer},
	} {
		if err := add(w, x.name, 0o644, 0, x.b, o.made); err != nil {
			return err
		}
	}
	return w.Close()
}

func blobName(d digest.Digest) string { return "blobs/" + d.Algorithm().String() + "/" + d.Encoded() }

// layerOf is the one layer: the program, and a folder that its user may write to.
func layerOf(program []byte, made time.Time) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	err := w.WriteHeader(&tar.Header{Name: "state/", Typeflag: tar.TypeDir, Mode: 0o700, Uid: nobody, Gid: nobody, ModTime: made, Format: tar.FormatUSTAR})
	if err == nil {
		err = add(w, "etalon", 0o755, 0, program, made)
	}
	return b.Bytes(), errors.Join(err, w.Close())
}

func add(w *tar.Writer, name string, mode int64, user int, content []byte, made time.Time) error {
	if err := w.WriteHeader(&tar.Header{
		Name: name, Typeflag: tar.TypeReg, Mode: mode, Uid: user, Gid: user, Size: int64(len(content)), ModTime: made, Format: tar.FormatUSTAR,
	}); err != nil {
		return err
	}
	_, err := io.Copy(w, bytes.NewReader(content))
	return err
}

func hexOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
