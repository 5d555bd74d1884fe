using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;
using Xunit.Abstractions;
using static Ashlar.Files.Tests.Nodes.NodeExtensions;

namespace Ashlar.Files.Tests.Nodes;

/// <summary>
/// Power is lost at every point of random sequences of uploads, removals and purges, or the process dies, perhaps of a sync that failed:
/// what was acknowledged is there, and nothing that is there is torn.
/// </summary>
public sealed class NodeCrashTests(ITestOutputHelper output)
{
    const string Root = "/node";
    const int Blocks = 5;
    static readonly int[] Lengths = [10, 4096, 65_536, 66_000, 131_000];

    [Fact]
    public async Task What_was_acknowledged_is_there_after_any_death_and_nothing_is_torn()
    {
        var seeds = TestSeeds.Several(nameof(NodeCrashTests), TestTier.Choose(1, 24));
        var states = 0;
        foreach (var seed in seeds)
        {
            var disk = new SimulatedFileSystem();
            await RunAsync(disk, disk, seed, 14);
            var result = await CrashExplorer.ExploreAsync(disk, CheckAsync, Options(seed));
            output.WriteLine($"seed {seed}: {result}");
            states += result.Distinct + result.Nested;
            if (Options(seed).Replay is null) Assert.True(result.Deaths > 5, result.ToString());
        }

        if (Options(0).Replay is null) Assert.True(states >= TestTier.Choose(300, 20_000), $"only {states} states");
    }

    [Theory]
    [InlineData(FaultOperations.Sync, "/node/temp/*")]
    [InlineData(FaultOperations.SyncDirectory, "/node/blocks/*")]
    [InlineData(FaultOperations.SyncDirectory, "/node/temp")]
    [InlineData(FaultOperations.SyncDirectory, "/node/trash")]
    public async Task A_sync_that_is_forgotten_is_found(FaultOperations operations, string path) => await AssertFoundAsync(
        disk => new FaultyFileSystem(disk, new FaultRule(operations, FaultKind.Skip) { PathPattern = path, IsSticky = true }), CheckAsync);

    // What the cache of a dead process shows is not what the medium has.
    [Fact]
    public async Task A_verification_that_believes_the_cache_is_found() => await AssertFoundAsync(
        disk => disk,
        state => CheckAsync(
            state, new FaultyFileSystem(state.Disk, new FaultRule(FaultOperations.SyncDirectory, FaultKind.Skip) { IsSticky = true })),
        kills: true);

    [Fact]
    public async Task A_rename_before_the_sync_is_found() => await AssertFoundAsync(disk => new HastyFileSystem(disk), CheckAsync);

    async Task AssertFoundAsync(Func<SimulatedFileSystem, IFileSystem> plant, Func<CrashState, Task> check, bool kills = false)
    {
        for (var seed = 1UL; seed < 9; seed++)
        {
            var disk = new SimulatedFileSystem();
            await RunAsync(disk, plant(disk), seed, 14);
            await CrashExplorer.CheckEndAsync(disk, CheckAsync); // Only a crash shows it.
            var found = await Record.ExceptionAsync(
                () => CrashExplorer.ExploreAsync(
                    disk, check,
                    Options(seed) with { Replay = null, KilledOneIn = kills ? 1 : 10, NestedBudget = 1, StateBudget = kills ? 1 : 500 }));
            output.WriteLine($"seed {seed}: {found?.Message}");
            if (found is CrashCheckException) return;
        }

        Assert.Fail("not found");
    }

    static CrashExplorerOptions Options(ulong seed) => new()
    {
        Seed = seed,
        StateBudget = TestTier.Choose(350, 1500),
        ExhaustiveLimit = 5,
        RandomSubsets = 6,
        LongestFamily = 12,
        NestedOneIn = 40,
        NestedBudget = 5,
        KilledOneIn = 10,
    };

    static async Task RunAsync(SimulatedFileSystem disk, IFileSystem files, ulong seed, int steps)
    {
        var random = new SeededRandom(seed);
        var clock = new SimulatedClock();
        var id = DirectoryNode.Create(disk, Root, new SeededEntropy(seed), clock);
        disk.RestartTrace();
        var options = new DirectoryNodeOptions { ReserveBytes = 0, TrashPeriod = TimeSpan.FromHours(1) };
        await using var node = DirectoryNode.Open(files, Root, id, options, clock, new SeededEntropy(seed + 1));
        for (var step = 0; step < steps; step++)
        {
            var block = random.Next(Blocks);
            var act = random.Next(10) switch
            {
                < 5 => Act.Put,
                < 7 => Act.Remove,
                7 => Act.Restore,
                8 => Act.Purge,
                _ => Act.Abandon,
            };
            disk.Mark(new Said(step, act, block, IsDone: false));
            switch (act)
            {
                case Act.Put:
                    await node.PutAsync(ContentOf(block));
                    break;
                case Act.Remove:
                    await node.RemoveAsync(NameOf(ContentOf(block)), default);
                    break;
                case Act.Restore:
                    await node.RestoreAsync(NameOf(ContentOf(block)), default);
                    break;
                case Act.Purge:
                    clock.Advance(TimeSpan.FromHours(2));
                    await node.PurgeAsync(10, default);
                    break;
                default:
                    await node.AppendAllAsync(ContentOf(block));
                    break;
            }

            disk.Mark(new Said(step, act, block, IsDone: true));
        }
    }

    static Task CheckAsync(CrashState state) => CheckAsync(state, state.Disk);

    static async Task CheckAsync(CrashState state, IFileSystem files)
    {
        var possible = Possible(state.Marks);
        var verified = new List<int>();
        await using (var node = Open(files))
        {
            state.RecoveryDone();
            Assert.Empty(state.Disk.List($"{Root}/temp"));
            var listed = (await node.ListAllAsync(pageLength: 10)).Select(entry => entry.Id.Name).ToHashSet();
            for (var block = 0; block < Blocks; block++)
            {
                var content = ContentOf(block);
                var name = NameOf(content);
                var isThere = await node.FindAsync(name, default) is not null;
                Assert.Equal(isThere, listed.Contains(name));
                Assert.True(
                    isThere ? possible[block].HasFlag(Places.Blocks) : possible[block] != Places.Blocks,
                    $"block {block}: {isThere}, {possible[block]}");
                if (isThere) Assert.Equal(content, await node.GetAsync(name));
                if (isThere) await node.VerifyAsync(name, default);
                if (isThere) verified.Add(block);
                if (possible[block] == Places.Trash) Assert.True(await node.RestoreAsync(name, default), $"block {block} is gone");
                if (possible[block] == Places.Trash) Assert.Equal(content, await node.GetAsync(name));
            }
        }

        // What was verified is on the medium.
        await using var later = Open(state.Disk.LosePower(state.Seed));
        foreach (var block in verified) Assert.Equal(ContentOf(block), await later.GetAsync(NameOf(ContentOf(block))));
        foreach (var block in verified) await later.VerifyAsync(NameOf(ContentOf(block)), default);
        await later.PutAsync(Content(99, 100));
    }

    static DirectoryNode Open(IFileSystem files) =>
        DirectoryNode.Open(files, Root, null, new DirectoryNodeOptions { ReserveBytes = 0 }, new SimulatedClock());

    static Places[] Possible(IReadOnlyList<object> marks)
    {
        var possible = Enumerable.Repeat(Places.Nowhere, Blocks).ToArray();
        foreach (var said in marks.Cast<Said>())
        {
            for (var block = 0; block < Blocks; block++)
            {
                if (said.Act != Act.Purge && said.Block != block) continue;
                var after = After(said.Act, possible[block], marks, said, block);
                possible[block] = said.IsDone ? after : possible[block] | after;
            }
        }

        return possible;

        static Places After(Act act, Places before, IReadOnlyList<object> marks, Said said, int block)
        {
            // The state before the step began, which its end narrows down again.
            var was = said.IsDone
                ? Possible(marks.TakeWhile(mark => mark is not Said one || one.Step != said.Step).ToArray())[block]
                : before;
            return act switch
            {
                Act.Put => Places.Blocks,
                Act.Remove => was.HasFlag(Places.Blocks) ? Places.Trash : was,
                Act.Restore => was == Places.Trash ? Places.Blocks : was,
                Act.Purge => was == Places.Trash ? Places.Nowhere : was,
                _ => was,
            };
        }
    }

    static byte[] ContentOf(int block) => Content(block, Lengths[block]);

    [Flags]
    enum Places
    {
        Blocks = 1,
        Trash = 2,
        Nowhere = 4,
    }

    enum Act
    {
        Put = 0,
        Remove,
        Restore,
        Purge,
        Abandon,
    }

    sealed record Said(int Step, Act Act, int Block, bool IsDone);

    /// <summary>Syncs a file only after it has its name.</summary>
    sealed class HastyFileSystem(IFileSystem inner) : PassingFileSystem(inner)
    {
        readonly IFileSystem inner = inner;

        public override IFile Open(string path, FileOpenMode mode) => new Hasty(base.Open(path, mode));

        public override void Rename(string source, string target)
        {
            base.Rename(source, target);
            using var file = inner.Open(target, FileOpenMode.Existing);
            file.Sync();
        }

        sealed class Hasty(IFile inner) : PassingFile(inner)
        {
            public override void Sync()
            {
            }
        }
    }
}
