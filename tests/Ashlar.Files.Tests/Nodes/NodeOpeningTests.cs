using Ashlar.Simulation;
using Ashlar.Storage;
using static Ashlar.Files.Tests.Nodes.NodeExtensions;

namespace Ashlar.Files.Tests.Nodes;

/// <summary>A node is opened where it is, and nowhere else: a disk that is missing is not an empty one.</summary>
public sealed class NodeOpeningTests
{
    const string Root = "/disk/node";

    readonly SimulatedFileSystem disk = new(isRecording: false);

    [Fact]
    public void A_directory_without_a_node_is_missing_and_stays_as_it_is()
    {
        disk.CreateDirectory("/disk");
        AssertProblem(NodeDirectoryProblem.Missing, () => DirectoryNode.Open(disk, Root));
        disk.CreateDirectory(Root); // A mount point whose disk is not there.
        AssertProblem(NodeDirectoryProblem.Missing, () => DirectoryNode.Open(disk, Root));
        Assert.Empty(disk.List(Root));
    }

    [Fact]
    public async Task A_directory_is_of_one_node_only()
    {
        var first = DirectoryNode.Create(disk, Root, new SeededEntropy(1));
        AssertProblem(NodeDirectoryProblem.AlreadyThere, () => DirectoryNode.Create(disk, Root));
        var second = DirectoryNode.Create(disk, "/disk/other", new SeededEntropy(2));
        Assert.NotEqual(first, second);
        AssertProblem(NodeDirectoryProblem.OtherNode, () => DirectoryNode.Open(disk, Root, second));
        await using var node = DirectoryNode.Open(disk, Root, first);
        Assert.Throws<LockedException>(() => DirectoryNode.Open(disk, Root, first));
        await node.DisposeAsync();
        await using var again = DirectoryNode.Open(disk, Root, first);
        Assert.Equal(first, again.Id);
    }

    [Fact]
    public void What_else_is_in_a_directory_is_not_built_upon()
    {
        disk.CreateDirectories("/disk/full");
        disk.Open("/disk/full/letters", FileOpenMode.CreateNew).Dispose();
        AssertProblem(NodeDirectoryProblem.NotEmpty, () => DirectoryNode.Create(disk, "/disk/full"));
        disk.CreateDirectories("/disk/fresh/lost+found");
        DirectoryNode.Create(disk, "/disk/fresh");
    }

    [Fact]
    public void Blocks_that_are_missing_or_of_another_node_are_noticed()
    {
        DirectoryNode.Create(disk, Root, new SeededEntropy(1));
        DirectoryNode.Create(disk, "/disk/other", new SeededEntropy(2));
        disk.Rename($"{Root}/blocks", "/disk/kept");
        AssertProblem(NodeDirectoryProblem.Missing, () => DirectoryNode.Open(disk, Root));
        disk.Rename("/disk/other/blocks", $"{Root}/blocks");
        AssertProblem(NodeDirectoryProblem.Mixed, () => DirectoryNode.Open(disk, Root));
        disk.Rename($"{Root}/blocks", "/disk/other/blocks");
        disk.Rename("/disk/kept", $"{Root}/blocks");
        disk.DeleteDirectory($"{Root}/trash");
        AssertProblem(NodeDirectoryProblem.Missing, () => DirectoryNode.Open(disk, Root));
    }

    [Fact]
    public void Parts_on_several_file_systems_are_refused()
    {
        DirectoryNode.Create(disk, Root);
        AssertProblem(NodeDirectoryProblem.Mixed, () => DirectoryNode.Open(new SplitFileSystem(disk), Root));
    }

    [Fact]
    public void A_record_that_is_damaged_or_of_a_later_version_opens_nothing()
    {
        DirectoryNode.Create(disk, Root);
        using var file = disk.Open($"{Root}/node", FileOpenMode.Existing);
        var bytes = new byte[128];
        file.Read(bytes, 0);
        for (var at = 0; at < 128; at++)
        {
            file.Write([(byte)(bytes[at] ^ 4)], at);
            Assert.Throws<CorruptDataException>(() => DirectoryNode.Open(disk, Root));
            file.Write([bytes[at]], at);
        }

        bytes[8] = 2;
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(124), Crc32C.Compute(bytes.AsSpan(0, 124)));
        file.Write(bytes, 0);
        Assert.Throws<UnsupportedFormatException>(() => DirectoryNode.Open(disk, Root));
        file.SetLength(100);
        Assert.Throws<CorruptDataException>(() => DirectoryNode.Open(disk, Root));
    }

    [Fact]
    public async Task A_disk_that_goes_away_makes_no_block_missing()
    {
        var id = DirectoryNode.Create(disk, Root);
        await using var node = DirectoryNode.Open(disk, Root, id, new DirectoryNodeOptions { ReserveBytes = 0 });
        var content = Content(1, 1000);
        await node.PutAsync(content);
        var ticket = await node.AppendAllAsync(Content(2, 1000));
        disk.Rename(Root, "/disk/elsewhere"); // The disk is unmounted,
        disk.CreateDirectory(Root); // and its mount point is there.
        await AssertRefusedAsync(NodeErrorKind.Unavailable, () => node.GetAsync(NameOf(content)));
        await AssertRefusedAsync(NodeErrorKind.Unavailable, () => node.FindAsync(NameOf(content), default).AsTask());
        await AssertRefusedAsync(NodeErrorKind.Unavailable, () => node.RemoveAsync(NameOf(content), default).AsTask());
        await AssertRefusedAsync(NodeErrorKind.Unavailable, () => node.ListAllAsync());
        await AssertRefusedAsync(NodeErrorKind.Unavailable, () => node.PurgeAsync(1, default).AsTask());
        await AssertRefusedAsync(NodeErrorKind.Unavailable, () => node.BeginAsync(1, default).AsTask());
        await AssertRefusedAsync(
            NodeErrorKind.Unavailable, () => node.InstallAsync(ticket, NameOf(Content(2, 1000)), default).AsTask());
        Assert.Equal(NodeState.Unavailable, (await node.GetHealthAsync(default)).State);
        Assert.Empty(disk.List(Root));
        disk.DeleteDirectory(Root);
        disk.Rename("/disk/elsewhere", Root);
        Assert.Equal(content, await node.GetAsync(NameOf(content)));
        Assert.Equal(NodeState.Up, (await node.GetHealthAsync(default)).State);
    }

    [Fact]
    public async Task Blocks_on_a_disk_of_their_own_that_goes_away_are_not_missing_either()
    {
        var id = DirectoryNode.Create(disk, Root);
        await using var node = DirectoryNode.Open(disk, Root, id, new DirectoryNodeOptions { ReserveBytes = 0 });
        var content = Content(1, 1000);
        await node.PutAsync(content);
        disk.Rename($"{Root}/blocks", "/disk/elsewhere");
        disk.CreateDirectory($"{Root}/blocks");
        await AssertRefusedAsync(NodeErrorKind.Unavailable, () => node.FindAsync(NameOf(content), default).AsTask());
        await AssertRefusedAsync(NodeErrorKind.Unavailable, () => node.RemoveAsync(NameOf(content), default).AsTask());
        await AssertRefusedAsync(NodeErrorKind.Unavailable, () => node.ListAllAsync());
        Assert.Equal(NodeState.Unavailable, (await node.GetHealthAsync(default)).State);
        disk.DeleteDirectory($"{Root}/blocks");
        disk.Rename("/disk/elsewhere", $"{Root}/blocks");
        Assert.Equal(content, await node.GetAsync(NameOf(content)));
    }

    [Fact]
    public async Task A_creation_does_not_take_over_the_blocks_of_another_node()
    {
        // The disk at the top is new, and the one with the blocks is not.
        var old = DirectoryNode.Create(disk, Root, new SeededEntropy(1));
        await using (var node = DirectoryNode.Open(disk, Root, old, new DirectoryNodeOptions { ReserveBytes = 0 }))
            await node.PutAsync(Content(1, 1000));
        disk.Delete($"{Root}/node");
        AssertProblem(NodeDirectoryProblem.Mixed, () => DirectoryNode.Create(disk, Root, new SeededEntropy(2)));

        // A creation of another one was cut off before it came to the blocks.
        DirectoryNode.Create(disk, "/disk/other", new SeededEntropy(3));
        disk.Rename("/disk/other/node", $"{Root}/node.new");
        AssertProblem(NodeDirectoryProblem.Mixed, () => DirectoryNode.Create(disk, Root, new SeededEntropy(2)));

        // Even where the mark is gone there are blocks.
        disk.Delete($"{Root}/blocks/mark");
        AssertProblem(NodeDirectoryProblem.NotEmpty, () => DirectoryNode.Create(disk, Root, new SeededEntropy(2)));
    }

    [Fact]
    public void A_creation_that_was_cut_off_is_finished_under_its_number()
    {
        var begun = DirectoryNode.Create(disk, Root, new SeededEntropy(1));
        disk.Rename($"{Root}/node", $"{Root}/node.new");
        Assert.Equal(begun, DirectoryNode.Create(disk, Root, new SeededEntropy(2)));
        disk.Rename($"{Root}/node", $"{Root}/node.new");
        using (var file = disk.Open($"{Root}/node.new", FileOpenMode.Existing)) file.SetLength(60); // Torn: there was no mark then.
        disk.Delete($"{Root}/blocks/mark");
        Assert.NotEqual(begun, DirectoryNode.Create(disk, Root, new SeededEntropy(2)));
    }

    [Theory]
    [InlineData(FaultOperations.None)]
    [InlineData(FaultOperations.Sync)]
    [InlineData(FaultOperations.SyncDirectory)]
    public async Task A_node_is_made_whole_or_not_at_all_and_can_be_made_then(FaultOperations planted)
    {
        var recorded = new SimulatedFileSystem();
        recorded.CreateDirectory("/disk");
        recorded.RestartTrace();
        DirectoryNode.Create(new FaultyFileSystem(recorded, new FaultRule(planted, FaultKind.Skip) { IsSticky = true }), Root);
        recorded.Mark("created");
        var options = new CrashExplorerOptions
        {
            StateBudget = 300,
            ExhaustiveLimit = 4,
            RandomSubsets = 4,
            LongestFamily = 8,
            KilledOneIn = 40,
            NestedOneIn = 60,
            NestedBudget = 3,
        };
        if (planted == FaultOperations.None)
        {
            var result = await CrashExplorer.ExploreAsync(recorded, CheckAsync, options);
            Assert.True(options.Replay is not null || result.Distinct > 250, result.ToString());
        }
        else
        {
            await Assert.ThrowsAsync<CrashCheckException>(
                () => CrashExplorer.ExploreAsync(recorded, CheckAsync, options with { Replay = null }));
        }

        static async Task CheckAsync(CrashState state)
        {
            var isThere = state.Disk.FileExists($"{Root}/node");
            Assert.True(isThere || state.Marks.Count == 0);
            if (!isThere) DirectoryNode.Create(state.Disk, Root);
            state.RecoveryDone();
            await using var node = DirectoryNode.Open(state.Disk, Root, null, new DirectoryNodeOptions { ReserveBytes = 0 });
            Assert.Empty(await node.ListAllAsync());
            for (var number = 0; number < 3; number++) await node.PutAsync(Content(number, 10));
        }
    }

    static void AssertProblem(NodeDirectoryProblem problem, Action action) =>
        Assert.Equal(problem, Assert.Throws<NodeDirectoryException>(action).Problem);

    sealed class SplitFileSystem(IFileSystem inner) : PassingFileSystem(inner)
    {
        public override string GetVolumeIdentity(string path) => path.EndsWith("/blocks", StringComparison.Ordinal) ? "8:1" : "8:2";
    }
}
