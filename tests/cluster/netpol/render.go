package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	netv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// snapshot is what the rules depend on, in an order that does not change
// between two looks at the same cluster.
type snapshot struct {
	pods       []*corev1.Pod // at most one per address
	namespaces map[string]labels.Set
	policies   []*netv1.NetworkPolicy
}

func newSnapshot(pods []*corev1.Pod, namespaces []*corev1.Namespace, policies []*netv1.NetworkPolicy) snapshot {
	s := snapshot{namespaces: map[string]labels.Set{}, policies: slices.Clone(policies)}

	// An address can be handed on while its last owner is still being deleted:
	// the younger pod has it, and a map with the key twice would be refused.
	owner := map[string]*corev1.Pod{}
	for _, pod := range pods {
		if !hasNetwork(pod) {
			continue
		}
		other := owner[pod.Status.PodIP]
		if other == nil || other.CreationTimestamp.Before(&pod.CreationTimestamp) {
			owner[pod.Status.PodIP] = pod
		}
	}
	for _, pod := range owner {
		s.pods = append(s.pods, pod)
	}
	slices.SortFunc(s.pods, func(a, b *corev1.Pod) int { return strings.Compare(a.Status.PodIP, b.Status.PodIP) })

	for _, namespace := range namespaces {
		s.namespaces[namespace.Name] = namespace.Labels
	}
	slices.SortFunc(s.policies, func(a, b *netv1.NetworkPolicy) int { return strings.Compare(string(a.UID), string(b.UID)) })
	return s
}

// hasNetwork says whether the pod holds an address of its own now.
func hasNetwork(pod *corev1.Pod) bool {
	ended := pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
	return !pod.Spec.HostNetwork && pod.Status.PodIP != "" && !ended
}

// direction is one half of a policy, seen from the pod it protects.
type direction struct {
	kind     netv1.PolicyType
	name     string // prefix of chain names
	podAddr  string // nft expression for the protected pod's address
	peerAddr string // and for the other side's
}

var (
	ingress = direction{netv1.PolicyTypeIngress, "ingress", "ip daddr", "ip saddr"}
	egress  = direction{netv1.PolicyTypeEgress, "egress", "ip saddr", "ip daddr"}
)

// rule is an ingress or an egress rule, whichever direction is looked at.
type rule struct {
	peers []netv1.NetworkPolicyPeer
	ports []netv1.NetworkPolicyPort
}

func (d direction) rulesOf(policy *netv1.NetworkPolicy) []rule {
	var rules []rule
	if d.kind == netv1.PolicyTypeIngress {
		for _, r := range policy.Spec.Ingress {
			rules = append(rules, rule{r.From, r.Ports})
		}
	} else {
		for _, r := range policy.Spec.Egress {
			rules = append(rules, rule{r.To, r.Ports})
		}
	}
	return rules
}

// render returns an nft script that replaces the whole table.
//
// A pod that no policy selects is let through, a selected one only where a
// rule accepts, and an address of podCIDR that belongs to no known pod not at
// all: a pod has no network in the moment before its policies are in place.
//
// "accept" ends only the base chain it is met in, so egress and ingress are
// two base chains, one after the other, and a packet has to pass both.
func render(s snapshot, podCIDR string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "table ip netpol\ndelete table ip netpol\ntable ip netpol {\n")
	for _, d := range []direction{ingress, egress} {
		s.renderPods(&b, d)
	}
	base := func(name, hook string, priority int, d direction) {
		fmt.Fprintf(&b, "chain %s {\ntype filter hook %s priority %d\n", name, hook, priority)
		fmt.Fprintf(&b, "ct state established,related accept\n%s %s jump %s\n}\n", d.podAddr, podCIDR, d.name)
	}
	base("forward-egress", "forward", 0, egress)
	base("forward-ingress", "forward", 1, ingress)
	base("input-egress", "input", 0, egress) // from a pod to the node itself
	fmt.Fprintf(&b, "}\n")
	return b.Bytes()
}

// renderPods writes one chain per isolated pod and the chain that finds it.
func (s snapshot) renderPods(b *bytes.Buffer, d direction) {
	var verdicts []string
	for i, pod := range s.pods {
		accepts, isolated := s.accepts(pod, d)
		if !isolated {
			verdicts = append(verdicts, pod.Status.PodIP+" : return")
			continue
		}
		chain := fmt.Sprintf("%s-%d", d.name, i)
		fmt.Fprintf(b, "chain %s {\n", chain)
		for _, match := range accepts {
			fmt.Fprintf(b, "%s accept\n", match)
		}
		fmt.Fprintf(b, "counter drop\n}\n")
		verdicts = append(verdicts, pod.Status.PodIP+" : goto "+chain)
	}
	fmt.Fprintf(b, "chain %s {\n", d.name)
	if len(verdicts) > 0 {
		fmt.Fprintf(b, "%s vmap { %s }\n", d.podAddr, strings.Join(verdicts, ", "))
	}
	fmt.Fprintf(b, "counter drop\n}\n")
}

// accepts returns the matches that let a pod's traffic through, and whether
// any policy isolates it in this direction.
func (s snapshot) accepts(pod *corev1.Pod, d direction) (matches []string, isolated bool) {
	for _, policy := range s.policies {
		if policy.Namespace != pod.Namespace || !selects(&policy.Spec.PodSelector, pod.Labels) {
			continue
		}
		if !slices.Contains(policy.Spec.PolicyTypes, d.kind) {
			continue
		}
		isolated = true
		for _, r := range d.rulesOf(policy) {
			matches = append(matches, s.matches(pod, r, d)...)
		}
	}
	return matches, isolated
}

// matches translates one rule; a rule without peers is about everyone.
func (s snapshot) matches(pod *corev1.Pod, r rule, d direction) []string {
	if len(r.peers) == 0 {
		return portMatches("", r.ports, d, pod, s.pods)
	}
	var matches []string
	for _, p := range r.peers {
		if p.IPBlock != nil {
			if block := blockMatch(p.IPBlock, d.peerAddr); block != "" {
				matches = append(matches, portMatches(block, r.ports, d, pod, nil)...)
			}
			continue
		}
		pods := s.peerPods(p, pod.Namespace)
		if len(pods) == 0 {
			continue
		}
		var addresses []string
		for _, peer := range pods {
			addresses = append(addresses, peer.Status.PodIP)
		}
		match := fmt.Sprintf("%s { %s }", d.peerAddr, strings.Join(addresses, ", "))
		matches = append(matches, portMatches(match, r.ports, d, pod, pods)...)
	}
	return matches
}

// portMatches narrows a match on addresses to the rule's ports.
func portMatches(peer string, ports []netv1.NetworkPolicyPort, d direction, pod *corev1.Pod, peers []*corev1.Pod) []string {
	if len(ports) == 0 {
		return []string{peer}
	}
	var matches []string
	for _, port := range ports {
		protocol := corev1.ProtocolTCP
		if port.Protocol != nil {
			protocol = *port.Protocol
		}
		l4 := strings.ToLower(string(protocol))
		switch {
		case port.Port == nil:
			matches = append(matches, fmt.Sprintf("%s meta l4proto %s", peer, l4))
		case port.Port.Type == intstr.Int && port.EndPort != nil:
			matches = append(matches, fmt.Sprintf("%s %s dport %d-%d", peer, l4, port.Port.IntVal, *port.EndPort))
		case port.Port.Type == intstr.Int:
			matches = append(matches, fmt.Sprintf("%s %s dport %d", peer, l4, port.Port.IntVal))
		case d.kind == netv1.PolicyTypeIngress: // the name is the protected pod's
			if n := namedPort(pod, port.Port.StrVal, protocol); n != 0 {
				matches = append(matches, fmt.Sprintf("%s %s dport %d", peer, l4, n))
			}
		default: // the name is each peer's, and may stand for different numbers
			for _, other := range peers {
				if n := namedPort(other, port.Port.StrVal, protocol); n != 0 {
					matches = append(matches, fmt.Sprintf("ip daddr %s %s dport %d", other.Status.PodIP, l4, n))
				}
			}
		}
	}
	return matches
}

// peerPods lists the pods a peer means; without a namespace selector it looks
// only in the policy's own namespace.
func (s snapshot) peerPods(peer netv1.NetworkPolicyPeer, namespace string) []*corev1.Pod {
	var pods []*corev1.Pod
	for _, pod := range s.pods {
		inNamespace := pod.Namespace == namespace
		if peer.NamespaceSelector != nil {
			inNamespace = selects(peer.NamespaceSelector, s.namespaces[pod.Namespace])
		}
		if inNamespace && (peer.PodSelector == nil || selects(peer.PodSelector, pod.Labels)) {
			pods = append(pods, pod)
		}
	}
	return pods
}

// blockMatch is empty for IPv6, which this cluster does not speak.
func blockMatch(block *netv1.IPBlock, addr string) string {
	if strings.Contains(block.CIDR, ":") {
		return ""
	}
	match := addr + " " + block.CIDR
	if len(block.Except) > 0 {
		match += fmt.Sprintf(" %s != { %s }", addr, strings.Join(block.Except, ", "))
	}
	return match
}

func namedPort(pod *corev1.Pod, name string, protocol corev1.Protocol) int32 {
	for _, container := range slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers) {
		for _, port := range container.Ports {
			declared := port.Protocol
			if declared == "" {
				declared = corev1.ProtocolTCP
			}
			if port.Name == name && declared == protocol {
				return port.ContainerPort
			}
		}
	}
	return 0
}

func selects(selector *metav1.LabelSelector, set labels.Set) bool {
	s, err := metav1.LabelSelectorAsSelector(selector)
	return err == nil && s.Matches(set)
}
