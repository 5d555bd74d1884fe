using Ashlar.Blocks;

namespace Ashlar.Nvme.Tests;

/// <summary>Fused Compare and Write.</summary>
public sealed class FusedTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_second_happens_only_if_the_first_is_right(bool inCapsule)
    {
        await using var target = new TestTarget();
        using var admin = target.Associate();
        using var queue = target.Join(admin);
        var (zero, one, two) = (new byte[4096], NvmeHost.Pattern(4096, 1), NvmeHost.Pattern(4096, 2));
        Assert.Equal((NvmeStatus.Success, NvmeStatus.Success), Swap(queue, zero, one, inCapsule));
        Assert.Equal(
            (NvmeStatus.CompareFailure | NvmeStatus.DoNotRetry, NvmeStatus.FailedFused), Swap(queue, zero, two, inCapsule));
        Assert.Equal(one, queue.Read(0, 8).MustSucceed().Data);
        Assert.Equal((NvmeStatus.Success, NvmeStatus.Success), Swap(queue, one, two, inCapsule));
    }

    [Fact]
    public async Task Of_pairs_of_all_paths_one_wins()
    {
        for (var round = 0; round < 6; round++)
            Assert.Equal(1, await RaceAsync((queue, data) => Swap(queue, new byte[4096], data, true), TimeSpan.FromMilliseconds(50)));
    }

    // The bug for which the race above is there.
    [Fact]
    public async Task A_comparison_apart_from_its_write_is_found()
    {
        for (var round = 0; round < 50; round++)
        {
            var winners = await RaceAsync(CompareThenWrite, TimeSpan.FromSeconds(5));
            if (winners > 1) return;
        }
        Assert.Fail("Nobody has written what another had changed.");

        static (NvmeStatus First, NvmeStatus Second) CompareThenWrite(NvmeHost queue, byte[] data)
        {
            var first = queue.Run(queue.Io(NvmOpcode.Compare, 0, 8), new byte[4096], inCapsule: true).Status;
            return (first, first == NvmeStatus.Success ? queue.Write(0, data, inCapsule: true).Status : NvmeStatus.FailedFused);
        }
    }

    /// <summary>
    /// Three clients, one of another protocol, want to be the one that changes zeros. Whoever reads first waits a moment for others.
    /// </summary>
    /// <returns>How many were.</returns>
    static async Task<int> RaceAsync(Func<NvmeHost, byte[], (NvmeStatus First, NvmeStatus Second)> swap, TimeSpan moment)
    {
        await using var target = new TestTarget();
        using var admin = target.Associate();
        using var one = target.Join(admin, 1);
        using var two = target.Join(admin, 2);
        using var elsewhere = target.Front.Attach(new(ClientProtocol.Iscsi, "iqn.other", "a"));
        var readers = 0;
        var all = new TaskCompletionSource();
        target.Device.BeforeRead = async _ =>
        {
            if (Interlocked.Increment(ref readers) == 2) all.TrySetResult();
            await Task.WhenAny(all.Task, Task.Delay(moment));
        };
        var winners = 0;
        var swaps = new[] { one, two }.Select((queue, i) => Task.Run(() =>
        {
            if (swap(queue, NvmeHost.Pattern(4096, i + 1)).First == NvmeStatus.Success) Interlocked.Increment(ref winners);
        }));
        await Task.WhenAll(swaps.Append(Task.Run(async () =>
        {
            using var held = await elsewhere.HoldAsync(0, 4096);
            if (await held.FindDifferenceAsync(0, new byte[4096]) is not null) return;
            await held.WriteAsync(0, NvmeHost.Pattern(4096, 3));
            Interlocked.Increment(ref winners);
        })));
        return winners;
    }

    [Fact]
    public async Task A_pair_that_is_none_has_no_effect()
    {
        await using var target = new TestTarget();
        using var admin = target.Associate();
        using var queue = target.Join(admin);
        var block = new byte[512];

        // A second alone, a first alone, a second of another range, a first that is no Compare, and more than is atomic.
        queue.Run(Second(queue, NvmOpcode.Write, 0, 1), block, inCapsule: true).MustFail(NvmeStatus.MissingFused);
        var first = queue.Submit(First(queue, NvmOpcode.Compare, 0, 1), block, inCapsule: true);
        var next = queue.Submit(queue.Io(NvmOpcode.Read, 0, 1), readBytes: 512);
        queue.Finish(first).MustFail(NvmeStatus.MissingFused);
        queue.Finish(next, 512).MustSucceed();

        first = queue.Submit(First(queue, NvmOpcode.Compare, 0, 1), block, inCapsule: true);
        var second = queue.Submit(Second(queue, NvmOpcode.Write, 1, 1), block, inCapsule: true);
        queue.Finish(first).MustFail(NvmeStatus.FailedFused);
        queue.Finish(second).MustFail(NvmeStatus.InvalidField);

        first = queue.Submit(First(queue, NvmOpcode.Write, 0, 1), block, inCapsule: true);
        second = queue.Submit(Second(queue, NvmOpcode.Write, 0, 1), block, inCapsule: true);
        queue.Finish(first).MustFail(NvmeStatus.InvalidField);
        queue.Finish(second).MustFail(NvmeStatus.FailedFused);

        first = queue.Submit(First(queue, NvmOpcode.Compare, 0, 129), new byte[129 * 512]);
        queue.Finish(first).MustFail(NvmeStatus.AtomicWriteUnitExceeded);
        Assert.Empty(target.Device.Writes);
    }

    [Fact]
    public async Task The_pair_holds_its_blocks_against_others()
    {
        await using var target = new TestTarget();
        using var admin = target.Associate();
        using var queue = target.Join(admin, 1);
        using var other = target.Front.Attach(new(ClientProtocol.Nbd, "a", "a"));
        var read = new TaskCompletionSource();
        target.Device.BeforeRead = _ => new(read.Task);
        var first = queue.Submit(First(queue, NvmOpcode.Compare, 0, 8), new byte[4096], inCapsule: true);
        var second = queue.Submit(Second(queue, NvmOpcode.Write, 0, 8), NvmeHost.Pattern(4096), inCapsule: true);
        await TestKit.Waiting.UntilAsync(() => target.Device.Calls == 1, "the comparison");
        var write = other.WriteAsync(512, new byte[512]).AsTask();
        Assert.NotSame(write, await Task.WhenAny(write, Task.Delay(50)));
        read.SetResult();
        queue.Finish(first).MustSucceed();
        queue.Finish(second).MustSucceed();
        await write;
        Assert.Equal(2, target.Device.Writes.Count);
        Assert.Equal(0, target.Device.Writes[0].Start.Value);
    }

    static (NvmeStatus First, NvmeStatus Second) Swap(NvmeHost queue, byte[] expected, byte[] data, bool inCapsule)
    {
        var blocks = expected.Length / 512;
        var first = queue.Submit(First(queue, NvmOpcode.Compare, 0, blocks), expected, inCapsule: inCapsule);
        var second = queue.Submit(Second(queue, NvmOpcode.Write, 0, blocks), data, inCapsule: inCapsule);
        return (queue.Finish(first).Status, queue.Finish(second).Status);
    }

    static SubmissionEntry First(NvmeHost queue, NvmOpcode opcode, ulong lba, int blocks) =>
        queue.Io(opcode, lba, blocks) with { Flags = 0x41 };

    static SubmissionEntry Second(NvmeHost queue, NvmOpcode opcode, ulong lba, int blocks) =>
        queue.Io(opcode, lba, blocks) with { Flags = 0x42 };
}
