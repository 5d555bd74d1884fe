namespace Ashlar.TestKit;

/// <summary>
/// Decides whether a concurrent history can be explained by calls that took effect one after the other, each at some moment
/// between its beginning and its end: the search of Wing and Gong, with Lowe's memory of what has been tried.
/// </summary>
/// <param name="initial">State before the first call.</param>
/// <param name="step">
/// State after a call; false if the call cannot have been answered so in this state. States need value equality.
/// </param>
public sealed class LinearizabilityChecker<TState, TOperation>(
    TState initial, LinearizabilityChecker<TState, TOperation>.StepFunction step)
    where TState : notnull
{
    public delegate bool StepFunction(TState state, TOperation operation, out TState next);

    /// <summary>States tried before the search is given up.</summary>
    public int MostStates { get; init; } = 2_000_000;

    public Linearizability Check(IReadOnlyList<RecordedCall<TOperation>> history)
    {
        ArgumentNullException.ThrowIfNull(history);
        var head = Link(history);
        var state = initial;
        var done = new CallSet(history.Count);
        var tried = new HashSet<(CallSet Done, TState State)>();
        var undo = new Stack<(Event Call, TState Before)>();
        for (var current = head.Next; head.Next is not null;)
        {
            if (current is { Return: { } })
            {
                // A call that is not placed yet: it may be the next to take effect.
                if (step(state, history[current.Call].Operation, out var next))
                {
                    if (tried.Count >= MostStates) return Linearizability.Unknown;
                    var after = done.With(current.Call);
                    if (tried.Add((after, next)))
                    {
                        undo.Push((current, state));
                        (state, done) = (next, after);
                        current.Lift();
                        current = head.Next;
                        continue;
                    }
                }

                current = current.Next;
                continue;
            }

            // A call has returned that took no effect yet: an earlier choice was wrong.
            if (!undo.TryPop(out var last)) return Linearizability.No;
            state = last.Before;
            done = done.Without(last.Call.Call);
            last.Call.Unlift();
            current = last.Call.Next;
        }

        return Linearizability.Yes;
    }

    static Event Link(IReadOnlyList<RecordedCall<TOperation>> history)
    {
        var events = new List<(long Time, bool IsReturn, Event Event)>();
        for (var i = 0; i < history.Count; i++)
        {
            var end = new Event(i);
            events.Add((history[i].Begun, false, new Event(i) { Return = end }));
            events.Add((history[i].Returned, true, end));
        }

        // At equal times beginnings come first: what overlaps by a moment may have either order.
        var head = new Event(-1);
        var last = head;
        foreach (var (_, _, item) in events.OrderBy(item => item.Time).ThenBy(item => item.IsReturn))
        {
            last.Next = item;
            item.Previous = last;
            last = item;
        }

        return head;
    }

    /// <summary>The beginning or the end of a call, in a list ordered by time.</summary>
    sealed class Event(int call)
    {
        public int Call => call;

        /// <summary>The end that belongs to a beginning; null for an end.</summary>
        public Event? Return { get; init; }

        public Event? Previous { get; set; }

        public Event? Next { get; set; }

        /// <summary>Takes the call out of the list, beginning and end.</summary>
        public void Lift()
        {
            Remove();
            Return!.Remove();
        }

        /// <summary>Puts it back, in the opposite order.</summary>
        public void Unlift()
        {
            Return!.PutBack();
            PutBack();
        }

        void Remove()
        {
            Previous!.Next = Next;
            if (Next is not null) Next.Previous = Previous;
        }

        void PutBack()
        {
            Previous!.Next = this;
            if (Next is not null) Next.Previous = this;
        }
    }

    /// <summary>Which calls have taken effect.</summary>
    readonly struct CallSet : IEquatable<CallSet>
    {
        readonly ulong[] bits;

        public CallSet(int count) => bits = new ulong[(count + 63) / 64];

        CallSet(ulong[] bits) => this.bits = bits;

        public CallSet With(int call) => Toggle(call);

        public CallSet Without(int call) => Toggle(call);

        public bool Equals(CallSet other) => bits.AsSpan().SequenceEqual(other.bits);

        public override bool Equals(object? obj) => obj is CallSet other && Equals(other);

        public override int GetHashCode()
        {
            var hash = new HashCode();
            foreach (var word in bits) hash.Add(word);
            return hash.ToHashCode();
        }

        CallSet Toggle(int call)
        {
            var changed = (ulong[])bits.Clone();
            changed[call / 64] ^= 1UL << (call % 64);
            return new CallSet(changed);
        }
    }
}
