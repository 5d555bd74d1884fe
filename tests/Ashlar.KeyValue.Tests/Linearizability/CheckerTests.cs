using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.KeyValue.Tests;

/// <summary>The checker is shown histories of which the answer is known.</summary>
public sealed class CheckerTests
{
    const long Never = RecordedCall<PairOperation>.Never;

    static RecordedCall<PairOperation> Put(int value, long begun, long returned) => new(PairOperation.Write(value, null), begun, returned);

    static RecordedCall<PairOperation> Get(int value, long begun, long returned) => new(PairOperation.Read(value, null), begun, returned);

    static RecordedCall<PairOperation> PutBoth(int value, long begun, long returned) => new(PairOperation.Write(value, value), begun, returned);

    static RecordedCall<PairOperation> GetBoth(int left, int right, long begun, long returned) => new(PairOperation.Read(left, right), begun, returned);

    public static TheoryData<string, Linearizability> Histories => new()
    {
        { "nothing", Linearizability.Yes },
        { "one after the other", Linearizability.Yes },
        { "a read during a write may find either", Linearizability.Yes },
        { "concurrent writes in either order", Linearizability.Yes },
        { "a write that never returned, seen late", Linearizability.Yes },
        { "a write that never returned, never seen", Linearizability.Yes },
        { "a stale read", Linearizability.No },
        { "a value from nowhere", Linearizability.No },
        { "new, then old", Linearizability.No },
        { "two readers see two orders", Linearizability.No },
        { "a lost write", Linearizability.No },
        { "half a batch", Linearizability.No },
        { "a write that never returned, seen and gone again", Linearizability.No },
    };

    [Theory, MemberData(nameof(Histories))]
    public void Tells_histories_apart(string name, Linearizability expected) =>
        Assert.Equal(expected, PairOperation.NewChecker().Check(History(name)));

    [Theory, Seeds(count: 20)]
    public void A_history_made_from_an_order_is_accepted_and_not_after_one_answer_was_changed(ulong seed)
    {
        var random = new SeededRandom(seed);
        var history = new List<RecordedCall<PairOperation>>();
        var state = 0;
        for (var i = 1; i <= 400; i++)
        {
            // Takes effect at 10 * i; with a reach of 40 about eight calls are under way at any time.
            var (begun, returned) = (10 * i - random.Next(1, 40), 10 * i + random.Next(1, 40));
            if (random.OneIn(2)) history.Add(Put(state = i, begun, returned));
            else history.Add(Get(state, begun, returned));
        }

        Assert.Equal(Linearizability.Yes, PairOperation.NewChecker().Check(history));
        var wrong = history.FindIndex(200, call => !call.Operation.IsWrite);
        history[wrong] = history[wrong] with { Operation = PairOperation.Read(1_000_000, null) };
        Assert.Equal(Linearizability.No, PairOperation.NewChecker().Check(history));
    }

    [Fact]
    public void A_search_that_takes_too_long_is_given_up_and_says_so()
    {
        var history = Enumerable.Range(1, 30).Select(i => Put(i, i, 1000 + i)).Append(Get(99, 2000, 2001)).ToArray();
        var checker = new LinearizabilityChecker<int, PairOperation>(0, (int state, PairOperation operation, out int next) =>
        {
            next = operation.IsWrite ? (state * 31) + operation.Left!.Value : state;
            return operation.IsWrite || operation.Left == state;
        })
        { MostStates = 1000 };
        Assert.Equal(Linearizability.Unknown, checker.Check(history));
    }

    static RecordedCall<PairOperation>[] History(string name) => name switch
    {
        "one after the other" => [Put(1, 0, 1), Get(1, 2, 3), Put(2, 4, 5), Get(2, 6, 7)],
        "a read during a write may find either" => [Put(1, 0, 1), Put(2, 2, 9), Get(1, 3, 4), Get(2, 5, 6)],
        "concurrent writes in either order" => [Put(1, 0, 9), Put(2, 0, 9), Get(2, 10, 11), Get(2, 12, 13)],
        "a write that never returned, seen late" => [Put(1, 0, 1), Put(2, 2, Never), Get(1, 3, 4), Get(2, 5, 6)],
        "a write that never returned, never seen" => [Put(1, 0, 1), Put(2, 2, Never), Get(1, 3, 4), Get(1, 5, 6)],
        "a stale read" => [Put(1, 0, 1), Put(2, 2, 3), Get(1, 4, 5)],
        "a value from nowhere" => [Put(1, 0, 1), Get(3, 2, 3)],
        "new, then old" => [Put(1, 0, 1), Put(2, 2, 9), Get(2, 3, 4), Get(1, 5, 6)],
        "two readers see two orders" =>
            [Put(1, 0, 9), Put(2, 0, 9), Get(1, 10, 12), Get(2, 13, 14)],
        "a lost write" => [Put(1, 0, 1), Get(0, 2, 3)],
        "half a batch" => [PutBoth(1, 0, 1), PutBoth(2, 2, 9), GetBoth(2, 1, 3, 4)],
        "a write that never returned, seen and gone again" => [Put(1, 0, 1), Put(2, 2, Never), Get(2, 3, 4), Get(1, 5, 6)],
        _ => [],
    };
}
