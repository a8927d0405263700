// Command netpol enforces NetworkPolicies on a one-node test cluster.
//
// It watches pods, namespaces and policies, renders them into one nftables
// table and replaces that table in a single transaction. It exists because no
// published engine can be built from package registries alone; it shows that
// the project's own policies say the right thing, nothing more. IPv4 only.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os/exec"
	"time"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	netlisters "k8s.io/client-go/listers/networking/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// retryPause is how long a refused transaction rests before the next attempt.
const retryPause = time.Second

var (
	podCIDR = flag.String("pod-cidr", "10.244.0.0/24", "addresses of the node's pods; traffic of unknown ones is dropped")
	ready   = flag.String("ready-address", "127.0.0.1:9944", "where the readiness probe is answered once rules are in place")
)

func main() {
	flag.Parse()
	config, err := rest.InClusterConfig()
	if err != nil {
		log.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		log.Fatal(err)
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	seen := listers{
		pods:       factory.Core().V1().Pods().Lister(),
		namespaces: factory.Core().V1().Namespaces().Lister(),
		policies:   factory.Networking().V1().NetworkPolicies().Lister(),
	}
	changed, err := notifyOnChange(
		factory.Core().V1().Pods().Informer(),
		factory.Core().V1().Namespaces().Informer(),
		factory.Networking().V1().NetworkPolicies().Informer(),
	)
	if err != nil {
		log.Fatal(err)
	}
	factory.Start(nil)
	factory.WaitForCacheSync(nil)
	enforce(seen, changed)
}

// enforce keeps the rules in step with the cluster; it never returns.
func enforce(seen listers, changed <-chan struct{}) {
	var applied []byte
	for range changed {
		for {
			now, err := seen.snapshot()
			if err != nil {
				log.Fatal(err)
			}
			rules := render(now, *podCIDR)
			if bytes.Equal(rules, applied) {
				break
			}
			start := time.Now()
			if err := apply(rules); err != nil {
				log.Print(err)
				time.Sleep(retryPause)
				continue
			}
			if applied == nil {
				go answerReadiness()
			}
			applied = rules
			log.Printf("rules replaced: pods=%d policies=%d seconds=%.3f", len(now.pods), len(now.policies), time.Since(start).Seconds())
			break
		}
	}
}

// apply replaces the table; nft takes the whole script or none of it.
func apply(rules []byte) error {
	nft := exec.Command("nft", "-f", "-")
	nft.Stdin = bytes.NewReader(rules)
	if out, err := nft.CombinedOutput(); err != nil {
		return fmt.Errorf("nft refused the rules: %w: %s", err, out)
	}
	return nil
}

func answerReadiness() {
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	log.Fatal(http.ListenAndServe(*ready, ok))
}

// notifyOnChange returns a channel of size one, so a burst of events becomes
// at most one further pass.
func notifyOnChange(watched ...cache.SharedIndexInformer) (<-chan struct{}, error) {
	changed := make(chan struct{}, 1)
	notify := func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	handler := cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { notify() },
		UpdateFunc: func(_, _ any) { notify() },
		DeleteFunc: func(any) { notify() },
	}
	for _, informer := range watched {
		if _, err := informer.AddEventHandler(handler); err != nil {
			return nil, err
		}
	}
	return changed, nil
}

// listers read the informers' caches.
type listers struct {
	pods       corelisters.PodLister
	namespaces corelisters.NamespaceLister
	policies   netlisters.NetworkPolicyLister
}

func (l listers) snapshot() (snapshot, error) {
	pods, err := l.pods.List(labels.Everything())
	if err != nil {
		return snapshot{}, err
	}
	namespaces, err := l.namespaces.List(labels.Everything())
	if err != nil {
		return snapshot{}, err
	}
	policies, err := l.policies.List(labels.Everything())
	if err != nil {
		return snapshot{}, err
	}
	return newSnapshot(pods, namespaces, policies), nil
}
