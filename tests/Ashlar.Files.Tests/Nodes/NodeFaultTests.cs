using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;
using static Ashlar.Files.Tests.Nodes.NodeExtensions;

namespace Ashlar.Files.Tests.Nodes;

/// <summary>Each call on the disk fails once: what was acknowledged stays, the rest is a typed error, and nothing is left over.</summary>
public sealed class NodeFaultTests
{
    const string Root = "/node";
    static readonly byte[][] Contents = [Content(1, 70_000), Content(2, 5000), Content(3, 131_072)];

    public static TheoryData<FaultKind> Kinds => TestTier.IsDeep
        ?
        [
            FaultKind.InputOutputError, FaultKind.NoSpace, FaultKind.ReadOnly, FaultKind.ShortWrite, FaultKind.NoSpaceHalfWay,
            FaultKind.LostSync,
        ]
        : [FaultKind.InputOutputError, FaultKind.NoSpaceHalfWay, FaultKind.LostSync];

    [Theory, MemberData(nameof(Kinds))]
    public void Whatever_fails_nothing_that_was_acknowledged_is_lost(FaultKind kind)
    {
        var probes = new FaultProbes(KindOf);
        var operations = kind == FaultKind.LostSync ? FaultOperations.Sync : FaultOperations.All & ~FaultOperations.WriteBack;
        var count = FaultSweep.Run(
            new FaultRule(operations, kind),
            NewDisk,
            disk => RunAsync(disk).GetAwaiter().GetResult(),
            probes);
        if (kind == FaultKind.LostSync) return;
        Assert.True(count > 60, $"{count}");

        // The one comes only after another failure, the other only when the disk is whole again.
        Assert.Equal(["Delete of upload", "Read of /node/trash/age"], probes.NeverFailed);
    }

    [Fact]
    public async Task After_a_failed_flush_nothing_more_is_written_and_reading_goes_on()
    {
        var disk = new FaultyFileSystem(NewDisk());
        await using (var node = Open(disk))
        {
            await node.PutAsync(Contents[0]);
            var begun = await node.AppendAllAsync(Contents[2]);
            disk.Add(new FaultRule(FaultOperations.Sync, FaultKind.LostSync) { PathPattern = "*/temp/*" });
            await AssertRefusedAsync(NodeErrorKind.Unavailable, () => node.PutAsync(Contents[1]));
            Assert.Equal(NodeState.Suspect, (await node.GetHealthAsync(default)).State);
            await AssertRefusedAsync(NodeErrorKind.Suspect, () => node.PutAsync(Contents[1]));
            await AssertRefusedAsync(NodeErrorKind.Suspect, () => node.InstallAsync(begun, NameOf(Contents[2]), default).AsTask());
            await AssertRefusedAsync(NodeErrorKind.Suspect, () => node.RemoveAsync(NameOf(Contents[0]), default).AsTask());
            await AssertRefusedAsync(NodeErrorKind.Suspect, () => node.VerifyAsync(NameOf(Contents[0]), default).AsTask());
            Assert.Equal(Contents[0], await node.GetAsync(NameOf(Contents[0])));
            Assert.Null(await node.FindAsync(NameOf(Contents[1]), default));
        }

        await using var again = Open(disk);
        await again.PutAsync(Contents[1]);
        Assert.Single(await again.ListAllAsync(), entry => entry.Id.Name == NameOf(Contents[0]));
    }

    [Fact]
    public async Task A_sync_of_a_directory_that_fails_is_no_acknowledgement_either()
    {
        var disk = new FaultyFileSystem(NewDisk());
        await using var node = Open(disk);
        disk.Add(new FaultRule(FaultOperations.SyncDirectory, FaultKind.InputOutputError) { PathPattern = "*/blocks/*" });
        await AssertRefusedAsync(NodeErrorKind.Unavailable, () => node.PutAsync(Contents[0]));
        await AssertRefusedAsync(NodeErrorKind.Suspect, () => node.PutAsync(Contents[0]));
    }

    [Fact]
    public async Task After_a_sync_of_directories_that_failed_no_later_one_says_that_all_is_well()
    {
        var disk = new FaultyFileSystem(NewDisk());
        var slow = new SlowSyncs(disk);
        var syncs = new DirectorySyncs(slow);
        disk.Add(new FaultRule(FaultOperations.SyncDirectory, FaultKind.InputOutputError) { PathPattern = "*/temp" });
        var first = Task.Run(() => syncs.Sync($"{Root}/blocks", $"{Root}/temp"));
        slow.Begun.Wait();

        // The second comes while the first is under way, and the disk tells of what is lost once.
        var second = Task.Run(() => syncs.Sync($"{Root}/blocks", $"{Root}/temp"));
        await Waiting.UntilAsync(() => syncs.Counts.Asked == 4, "the second waits");
        slow.Release.Set();
        await Assert.ThrowsAsync<StorageException>(() => first);
        await Assert.ThrowsAsync<StorageException>(() => second);
        Assert.Throws<StorageException>(() => syncs.Sync($"{Root}/trash", $"{Root}/trash"));
    }

    [Fact]
    public async Task A_node_that_cannot_make_durable_what_it_has_purged_takes_nothing_more()
    {
        var disk = new FaultyFileSystem(NewDisk());
        var clock = new SimulatedClock();
        await using var node = Open(disk, clock);
        await node.PutAsync(Contents[0]);
        await node.RemoveAsync(NameOf(Contents[0]), default);
        clock.Advance(TimeSpan.FromDays(2));
        disk.Add(new FaultRule(FaultOperations.SyncDirectory, FaultKind.InputOutputError) { PathPattern = "*/trash" });
        await AssertRefusedAsync(NodeErrorKind.Unavailable, () => node.PurgeAsync(10, default).AsTask());
        await AssertRefusedAsync(NodeErrorKind.Suspect, () => node.PutAsync(Contents[1]));
        await AssertRefusedAsync(NodeErrorKind.Suspect, () => node.PurgeAsync(10, default).AsTask());
    }

    // Its first sync of a directory waits.
    sealed class SlowSyncs(IFileSystem inner) : PassingFileSystem(inner)
    {
        public ManualResetEventSlim Begun { get; } = new();

        public ManualResetEventSlim Release { get; } = new();

        public override void SyncDirectory(string path)
        {
            Begun.Set();
            Release.Wait();
            base.SyncDirectory(path);
        }
    }

    static SimulatedFileSystem NewDisk()
    {
        var disk = new SimulatedFileSystem(isRecording: false);
        DirectoryNode.Create(disk, Root, new SeededEntropy(1));
        return disk;
    }

    static DirectoryNode Open(IFileSystem disk, SimulatedClock? clock = null) => DirectoryNode.Open(
        disk, Root, null, new DirectoryNodeOptions { ReserveBytes = 0 }, clock ?? new SimulatedClock(), new SeededEntropy(2));

    static async Task RunAsync(FaultyFileSystem disk)
    {
        // What each block must be: there, not there, or either, because nobody was told.
        var isThere = new bool?[] { false, false, false };
        var clock = new SimulatedClock();
        DirectoryNode? node = null;
        try
        {
            node = Open(disk, clock);
        }
        catch (Exception e) when (e is StorageException or NodeDirectoryException)
        {
        }

        if (node is not null)
        {
            for (var number = 0; number < Contents.Length; number++)
                await ActAsync(number, true, content => node.PutAsync(content));
            await ActAsync(0, false, content => node.RemoveAsync(NameOf(content), default).AsTask());
            var isRemoved = false;
            await ActAsync(1, false, async content => isRemoved = await node.RemoveAsync(NameOf(content), default));
            if (isRemoved) await ActAsync(1, true, content => node.RestoreAsync(NameOf(content), default).AsTask());
            clock.Advance(TimeSpan.FromDays(2));
            await ActAsync(null, null, _ => node.PurgeAsync(10, default).AsTask());
            await ActAsync(null, null, _ => node.ListAsync(null, 1, default).AsTask());
            await ActAsync(null, null, _ => node.VerifyAsync(NameOf(Contents[2]), default).AsTask());
            await ActAsync(null, null, _ => node.GetAsync(NameOf(Contents[2])));
            Assert.InRange((await node.GetHealthAsync(default)).FreeBytes, 0, long.MaxValue);
            await node.DisposeAsync();
        }

        disk.Heal();
        await using var again = Open(disk);
        Assert.Empty(disk.List($"{Root}/temp"));
        for (var number = 0; number < Contents.Length; number++)
        {
            var name = NameOf(Contents[number]);
            var found = await again.FindAsync(name, default);
            if (isThere[number] is { } must) Assert.True(must == found is not null, $"block {number}: {must}");
            if (found is null) continue;
            Assert.Equal(Contents[number], await again.GetAsync(name));
            await again.VerifyAsync(name, default);
        }

        async Task ActAsync(int? number, bool? after, Func<byte[], Task> act)
        {
            try
            {
                await act(number is { } one ? Contents[one] : []);
                if (number is { } done && (after == true || isThere[done] is not null)) isThere[done] = after;
                if (number is { } gone && after == false) isThere[gone] = false;
            }
            catch (StorageNodeException e)
            {
                if (number is { } doubtful && e.Kind is not (NodeErrorKind.Suspect or NodeErrorKind.Busy)) isThere[doubtful] = null;
            }
        }
    }

    static string KindOf(string path) => path switch
    {
        _ when path.StartsWith($"{Root}/blocks/", StringComparison.Ordinal) && path.Length > 40 => "block",
        _ when path.StartsWith($"{Root}/blocks/", StringComparison.Ordinal) && path.EndsWith("mark", StringComparison.Ordinal) => "mark",
        _ when path.StartsWith($"{Root}/blocks/", StringComparison.Ordinal) => "leaf",
        _ when path.StartsWith($"{Root}/temp/", StringComparison.Ordinal) => "upload",
        _ when path.StartsWith($"{Root}/trash/", StringComparison.Ordinal) && path.Length > 40 => "trashed block",
        _ => path,
    };
}
