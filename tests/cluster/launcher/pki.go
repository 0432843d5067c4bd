package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"slices"
	"time"
)

// certificate is one key pair of the cluster. File names in DIR/pki are
// name.crt and name.key.
type certificate struct {
	name   string
	issuer string
	cn     string
	groups []string
	// hosts make it a serving certificate; without any it is a client's.
	hosts []string
}

// masters may do everything. kwok and metrics-server are not what the tests
// are about, so they get that instead of roles of their own; their own names
// still tell them apart in the audit log.
var masters = []string{"system:masters"}

var certificates = []certificate{
	{name: "kube-apiserver", issuer: "ca", cn: "kube-apiserver", hosts: []string{
		"localhost", "127.0.0.1", firstServiceIP, hostAddress, "kubernetes", "kubernetes.default",
		"kubernetes.default.svc", "kubernetes.default.svc.cluster.local"}},
	{name: "metrics-server", issuer: "ca", cn: "metrics-server", hosts: []string{
		"localhost", "127.0.0.1", "metrics-server.kube-system.svc"}},
	{name: "kwok", issuer: "ca", cn: "kwok", hosts: []string{"localhost", "127.0.0.1"}},
	{name: "admin", issuer: "ca", cn: "admin", groups: masters},
	{name: "launcher", issuer: "ca", cn: "cluster-launcher", groups: masters},
	{name: "kwok-client", issuer: "ca", cn: "kwok", groups: masters},
	{name: "metrics-server-client", issuer: "ca", cn: "metrics-server", groups: masters},
	{name: "kube-controller-manager", issuer: "ca", cn: "system:kube-controller-manager"},
	{name: "kube-scheduler", issuer: "ca", cn: "system:kube-scheduler"},
	// The API server's at the kubelets of real nodes.
	{name: "kubelet-reader", issuer: "ca", cn: "kube-apiserver-kubelet-client", groups: masters},
	{name: "kube-proxy", issuer: "ca", cn: "system:kube-proxy"},
	// Signed by a CA of its own: with the one CA, every client certificate
	// would pass for the front proxy's at servers that check the CA alone.
	{name: "front-proxy-client", issuer: "front-proxy-ca", cn: "front-proxy-client"},
}

// nodeCertificates are those of the real nodes' kubelets: what they serve with, and who they are.
func nodeCertificates() []certificate {
	var all []certificate
	for i := range maxRealNodes {
		all = append(all,
			certificate{name: nodeName(i), issuer: "ca", cn: nodeName(i), hosts: []string{nodeName(i), nodeAddress(i)}},
			certificate{name: nodeName(i) + "-client", issuer: "ca", cn: "system:node:" + nodeName(i), groups: []string{"system:nodes"}})
	}
	return all
}

const validity = 10 * 365 * 24 * time.Hour

// ensurePKI writes all key pairs unless the directory has a complete set, which
// a restart must keep: tokens and kubeconfigs given out before depend on it.
func ensurePKI(p paths) error {
	complete := p.pki("complete")
	if _, err := os.Stat(complete); err == nil {
		return nil
	} else if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	issuers := map[string]*issuer{}
	for _, name := range []string{"ca", "front-proxy-ca"} {
		created, err := newIssuer(p, name)
		if err != nil {
			return fmt.Errorf("certificate authority %s: %w", name, err)
		}
		issuers[name] = created
	}
	for _, wanted := range slices.Concat(certificates, nodeCertificates()) {
		if err := issuers[wanted.issuer].issue(p, wanted); err != nil {
			return fmt.Errorf("certificate %s: %w", wanted.name, err)
		}
	}
	if err := writeServiceAccountKeys(p); err != nil {
		return fmt.Errorf("service account key: %w", err)
	}
	return writeFile(complete, nil, private)
}

type issuer struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newIssuer(p paths, name string) (*issuer, error) {
	template, err := template(pkix.Name{CommonName: "cluster " + name})
	if err != nil {
		return nil, err
	}
	template.IsCA = true
	template.BasicConstraintsValid = true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &issuer{parsed, key}, writePair(p, name, der, key)
}

func (i *issuer) issue(p paths, wanted certificate) error {
	template, err := template(pkix.Name{CommonName: wanted.cn, Organization: wanted.groups})
	if err != nil {
		return err
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	if len(wanted.hosts) > 0 {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}
	for _, host := range wanted.hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, i.certificate, &key.PublicKey, i.key)
	if err != nil {
		return err
	}
	return writePair(p, wanted.name, der, key)
}

func template(subject pkix.Name) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      subject,
		NotBefore:    time.Now().Add(-time.Hour), // clocks of containers may lag
		NotAfter:     time.Now().Add(validity),
	}, nil
}

func writePair(p paths, name string, der []byte, key *ecdsa.PrivateKey) error {
	if err := writePEM(p.pki(name+".crt"), "CERTIFICATE", der); err != nil {
		return err
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return writePEM(p.pki(name+".key"), "PRIVATE KEY", encoded)
}

// writeServiceAccountKeys makes what signs and verifies service account tokens.
func writeServiceAccountKeys(p paths) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	secret, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	if err := writePEM(p.pki("service-account.key"), "EC PRIVATE KEY", secret); err != nil {
		return err
	}
	shared, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return err
	}
	return writePEM(p.pki("service-account.pub"), "PUBLIC KEY", shared)
}

func writePEM(path, kind string, der []byte) error {
	return writeFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), private)
}
