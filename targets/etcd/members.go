package etcd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/fallacy-dev/fallacy"
	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/status"
)

// Times of requests about members.
const (
	// listPatience is how long one member may take to list them.
	listPatience = 2 * time.Second
	// changePatience is how long one may take to have a change committed. A change
	// that is proposed while nobody leads is dropped by etcd 3.4, which answers after
	// 7 s all the same.
	changePatience = 2 * time.Second
)

// Members returns the started members, as most of those that answer have them: one
// that has not heard the latest yet is outvoted. From etcd 3.5 on each answer is
// linearizable anyway.
func (t *target) Members(ctx context.Context, cluster []fallacy.Node) ([]string, error) {
	lists := make([][]*etcdserverpb.Member, len(cluster))
	errs := make([]error, len(cluster))
	var all sync.WaitGroup
	for i, n := range cluster {
		all.Go(func() { lists[i], errs[i] = listMembers(ctx, n) })
	}
	all.Wait()
	votes, answers := make(map[string]int), 0
	for i := range cluster {
		if errs[i] != nil {
			continue
		}
		answers++
		for _, n := range cluster {
			if m := t.member(lists[i], n); m != nil && m.Name != "" {
				votes[n.Name]++
			}
		}
	}
	if answers == 0 {
		return nil, fmt.Errorf("no node tells who the members are: %w", errors.Join(errs...))
	}
	var members []string
	for _, n := range cluster {
		if votes[n.Name] > answers/2 {
			members = append(members, n.Name)
		}
	}
	return members, nil
}

// listMembers asks one node for the members. A node that knows that it is none
// itself is not believed.
func listMembers(ctx context.Context, n fallacy.Node) ([]*etcdserverpb.Member, error) {
	ctx, cancel := context.WithTimeout(ctx, listPatience)
	defer cancel()
	var answer *etcdserverpb.MemberListResponse
	err := asCluster(n, func(c etcdserverpb.ClusterClient) (err error) {
		answer, err = c.MemberList(ctx, &etcdserverpb.MemberListRequest{Linearizable: true})
		return err
	})
	if err != nil {
		return nil, err
	}
	self := answer.GetHeader().GetMemberId()
	if !slices.ContainsFunc(answer.Members, func(m *etcdserverpb.Member) bool { return m.ID == self }) {
		return nil, fmt.Errorf("%s is no member any more", n.Name)
	}
	return answer.Members, nil
}

// asCluster does one request about the cluster to a node.
func asCluster(n fallacy.Node, do func(etcdserverpb.ClusterClient) error) error {
	c, err := open(n)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	if err := do(etcdserverpb.NewClusterClient(c.grpc)); err != nil {
		return fmt.Errorf("%s: %w", n.Name, err)
	}
	return nil
}

// member finds n in a list, by its peer address: one that has not started has no name.
func (t *target) member(list []*etcdserverpb.Member, n fallacy.Node) *etcdserverpb.Member {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, m := range list {
		if slices.Contains(m.PeerURLs, t.names.url(n)) {
			return m
		}
	}
	return nil
}

// Leave has n removed by one of the others. That can be asked for again.
func (t *target) Leave(ctx context.Context, n fallacy.Node, cluster []fallacy.Node) error {
	return through(n, cluster, true, func(other fallacy.Node) error {
		list, err := listMembers(ctx, other)
		if err != nil {
			return fmt.Errorf("%w: %w", fallacy.ErrFailed, err) // only asked
		}
		m := t.member(list, n)
		if m == nil {
			return nil
		}
		ctx, cancel := context.WithTimeout(ctx, changePatience)
		defer cancel()
		err = asCluster(other, func(c etcdserverpb.ClusterClient) error {
			_, err := call(ctx, c.MemberRemove, &etcdserverpb.MemberRemoveRequest{ID: m.ID}, false)
			return err
		})
		if isError(err, rpctypes.ErrGRPCMemberNotFound) {
			return nil // somebody was faster
		}
		return err
	})
}

// Join has n added by one of the others, which answers with the members to start with.
func (t *target) Join(ctx context.Context, n fallacy.Node, cluster []fallacy.Node) (fallacy.Process, error) {
	var added *etcdserverpb.MemberAddResponse
	err := through(n, cluster, false, func(other fallacy.Node) error {
		t.mu.Lock()
		url := t.names.url(n)
		t.mu.Unlock()
		ctx, cancel := context.WithTimeout(ctx, changePatience)
		defer cancel()
		return asCluster(other, func(c etcdserverpb.ClusterClient) (err error) {
			added, err = call(ctx, c.MemberAdd, &etcdserverpb.MemberAddRequest{PeerURLs: []string{url}}, false)
			return err
		})
	})
	if err != nil {
		return fallacy.Process{}, err
	}
	var initial []fallacy.Node
	for _, m := range cluster {
		if t.member(added.Members, m) != nil {
			initial = append(initial, m)
		}
	}
	return t.process(n, cluster, initial, "existing")
}

// through asks one node after the other, but for n, until one has done it. After an
// error that leaves it open whether it was done the next is asked only if it may be
// done twice.
func through(n fallacy.Node, cluster []fallacy.Node, again bool, ask func(other fallacy.Node) error) error {
	var errs []error
	open := false
	for _, other := range cluster {
		if other.Name == n.Name {
			continue
		}
		err := ask(other)
		if err == nil {
			return nil
		}
		errs = append(errs, err)
		open = open || !errors.Is(err, fallacy.ErrFailed)
		if open && !again {
			break
		}
	}
	if open {
		return fmt.Errorf("it is not known whether that was done: %v", errors.Join(errs...)) // not wrapped: some are proofs
	}
	return errors.Join(errs...)
}

// isError tells whether err is, or wraps, one of etcd's own.
func isError(err, want error) bool {
	var got interface{ GRPCStatus() *status.Status }
	if !errors.As(err, &got) {
		return false
	}
	is := status.Convert(want)
	return got.GRPCStatus().Code() == is.Code() && got.GRPCStatus().Message() == is.Message()
}
