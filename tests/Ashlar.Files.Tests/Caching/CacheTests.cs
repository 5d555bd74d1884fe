using System.Buffers.Binary;
using Ashlar.Files.Tests.Nodes;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;

namespace Ashlar.Files.Tests.Caching;

/// <summary>Caches give what the nodes would give, sooner, and within their bounds.</summary>
public sealed class CacheTests
{
    const int PieceBytes = BufferPool.DefaultBufferBytes;
    const long SlotBytes = PieceBytes + 4096;

    readonly SourceOfTests source = new();
    readonly BufferPool buffers = new(PieceBytes, 16);

    [Fact]
    public async Task Memory_stays_within_its_bound_and_keeps_what_was_used_last()
    {
        var cache = new MemoryCache(source, 3 * PieceBytes);
        foreach (var number in (int[])[0, 1, 2, 0, 3, 0, 1]) await AssertReadAsync(cache, PieceOf(number));
        Assert.Equal((3 * PieceBytes) - 4, cache.KeptBytes);
        Assert.Equal([0, 1, 2, 3, 1], source.Fetched); // 1 was the oldest when 3 came.
        Assert.Equal((2, 5), cache.Requests);
        await AssertReadAsync(new MemoryCache(source, 10), PieceOf(5)); // Nothing fits.
    }

    [Fact]
    public async Task Many_who_want_one_piece_wait_for_one_fetch()
    {
        var cache = new MemoryCache(source, 10 * PieceBytes);
        source.Gate = new SemaphoreSlim(0);
        using var given = new CancellationTokenSource();
        var leaving = cache.FetchAsync(PieceOf(1), given.Token);
        var waiting = Enumerable.Range(0, 100).Select(_ => AssertReadAsync(cache, PieceOf(1))).ToArray();
        await given.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving);
        source.Gate.Release();
        await Task.WhenAll(waiting);
        Assert.Equal([1], source.Fetched);
    }

    [Fact]
    public async Task A_fetch_that_nobody_waits_for_ends_and_does_not_harm_the_next()
    {
        var cache = new MemoryCache(source, 10 * PieceBytes);
        source.Gate = new SemaphoreSlim(0);
        using var given = new CancellationTokenSource();
        var leaving = cache.FetchAsync(PieceOf(1), given.Token);
        await given.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving);
        var next = AssertReadAsync(cache, PieceOf(1));
        source.Gate.Release(2);
        await next;
    }

    [Fact]
    public async Task A_failure_is_everybodys_who_waited_and_is_not_kept()
    {
        var cache = new MemoryCache(source, 10 * PieceBytes);
        source.Failure = new BlockUnreadableException(PieceOf(1).Block.Name, []);
        await Assert.ThrowsAsync<BlockUnreadableException>(() => cache.FetchAsync(PieceOf(1)));
        source.Failure = null;
        await AssertReadAsync(cache, PieceOf(1));
    }

    [Fact]
    public async Task Buffers_that_are_kept_go_back_when_nobody_has_them_any_more()
    {
        var pooled = new PooledSource(new BufferPool(PieceBytes, 4));
        var cache = new MemoryCache(pooled, 2 * PieceBytes);
        var given = new CancellationTokenSource();
        await given.CancelAsync();
        for (var round = 0; round < 30; round++)
        {
            var first = await cache.FetchAsync(PieceOf(round % 5));
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cache.FetchAsync(PieceOf(7), given.Token));
            await AssertReadAsync(cache, PieceOf((round + 1) % 5));
            await AssertReadAsync(cache, PieceOf((round + 2) % 5));
            Assert.True(first.Content.Span.SequenceEqual(SourceOfTests.ContentOf(PieceOf(round % 5)))); // Nobody else has its bytes.
            first.Release();
        }

        Assert.Equal(0, pooled.Buffers.InUse);
        given.Dispose();
    }

    [Fact]
    public async Task A_block_of_another_customer_is_another_block()
    {
        var cache = new MemoryCache(source, 10 * PieceBytes);
        await AssertReadAsync(cache, PieceOf(1));
        await AssertReadAsync(cache, PieceOf(1) with { Customer = new CustomerId(99) });
        Assert.Equal([1, 1], source.Fetched);
    }

    [Theory, Seeds(count: 2)]
    public async Task A_disk_keeps_pieces_over_a_restart_within_its_bound(ulong seed)
    {
        var random = new SeededRandom(seed);
        var disk = new SimulatedFileSystem(isRecording: false);
        DiskCache.Create(disk, "/cache", 4096 + (4 * SlotBytes), new SeededEntropy(seed));
        for (var run = 0; run < 3; run++)
        {
            using var cache = DiskCache.Open(disk, "/cache", source, buffers);
            Assert.Equal(run == 0 ? 0 : 4, cache.Count);
            for (var round = 0; round < 40; round++)
            {
                await AssertReadAsync(cache, PieceOf(random.Next(8)));
                await Waiting.UntilAsync(() => cache.Keeping == 0, "the piece is kept");
            }

            Assert.Null(cache.Problem);
            Assert.True(cache.Requests.Hits > 5, $"{cache.Requests}");
        }

        Assert.InRange(LengthOf(disk), 0, 4096 + (4 * SlotBytes));
        DiskCache.Create(disk, "/cache", 4096 + (2 * SlotBytes), new SeededEntropy(seed + 1));
        using var fresh = DiskCache.Open(disk, "/cache", source, buffers);
        Assert.Equal(0, fresh.Count);
    }

    [Fact]
    public async Task Rot_in_the_cache_is_never_given()
    {
        var disk = new SimulatedFileSystem(isRecording: false);
        DiskCache.Create(disk, "/cache", 4096 + (8 * SlotBytes));
        var random = new SeededRandom(5);
        for (var round = 0; round < 60; round++)
        {
            using (var cache = DiskCache.Open(disk, "/cache", source, buffers))
            {
                for (var number = 0; number < 4; number++) await AssertReadAsync(cache, PieceOf(number));
                await Waiting.UntilAsync(() => cache.Keeping == 0, "the pieces are kept");
            }

            using var file = disk.Open("/cache/pieces", FileOpenMode.Existing);
            for (var bit = 0; bit < 3; bit++)
            {
                // Heads of slots are short and have to be hit as well.
                var slot = random.Next(4);
                var at = 4096 + (slot * SlotBytes) + (random.OneIn(2) ? random.Next(80) : 4096 + random.Next(PieceBytes));
                var one = new byte[1];
                file.Read(one, at);
                file.Write([(byte)(one[0] ^ (1 << random.Next(8)))], at);
            }
        }
    }

    [Fact]
    public async Task A_crash_costs_the_cache_what_it_costs_and_nobody_a_wrong_byte()
    {
        var disk = new SimulatedFileSystem();
        DiskCache.Create(disk, "/cache", 4096 + (2 * SlotBytes), new SeededEntropy(1));
        disk.RestartTrace();
        using (var cache = DiskCache.Open(disk, "/cache", source, buffers))
        {
            for (var number = 0; number < 5; number++)
            {
                await AssertReadAsync(cache, WholePieceOf(number));
                await Waiting.UntilAsync(() => cache.Keeping == 0, "the piece is kept");
            }
        }

        var options = new CrashExplorerOptions
        {
            StateBudget = 60,
            ExhaustiveLimit = 3,
            RandomSubsets = 3,
            LongestFamily = 4,
            NestedOneIn = 0,
        };
        await CrashExplorer.ExploreAsync(
            disk,
            async state =>
            {
                using var cache = DiskCache.Open(state.Disk, "/cache", source, buffers);
                for (var number = 0; number < 5; number++) await AssertReadAsync(cache, WholePieceOf(number));
                await Waiting.UntilAsync(() => cache.Keeping == 0, "the pieces are kept");
            },
            options);
    }

    [Fact]
    public async Task A_disk_that_is_slower_than_the_nodes_takes_no_memory_for_what_it_cannot_keep()
    {
        var disk = new SimulatedFileSystem(isRecording: false);
        DiskCache.Create(disk, "/cache", 4096 + (200 * SlotBytes));
        using var release = new ManualResetEventSlim();
        var slow = new FaultyFileSystem(disk)
        {
            BeforeOperation = (operation, _) =>
            {
                if (operation == FaultOperations.Write) release.Wait();
            },
        };
        using var cache = DiskCache.Open(slow, "/cache", source, buffers);
        for (var number = 0; number < 60; number++) await AssertReadAsync(cache, PieceOf(number));
        Assert.InRange(cache.Keeping, 1, 32);
        release.Set();
        await Waiting.UntilAsync(() => cache.Keeping == 0, "the pieces are kept");
        Assert.InRange(cache.Count, 1, 16);
    }

    [Fact]
    public async Task A_disk_that_fails_or_goes_away_is_passed_by()
    {
        var disk = new SimulatedFileSystem(isRecording: false);
        var faults = new FaultyFileSystem(disk);
        DiskCache.Create(disk, "/cache", 4096 + (8 * SlotBytes));
        using (var cache = DiskCache.Open(faults, "/cache", source, buffers))
        {
            await AssertReadAsync(cache, PieceOf(0));
            await Waiting.UntilAsync(() => cache.Keeping == 0, "the piece is kept");
            faults.Add(new FaultRule(FaultOperations.Read | FaultOperations.Write, FaultKind.InputOutputError) { IsSticky = true });
            for (var number = 0; number < 3; number++) await AssertReadAsync(cache, PieceOf(number));
            Assert.NotNull(cache.Problem);
        }

        using (var cache = DiskCache.Open(disk, "/cache", source, buffers))
        {
            disk.Rename("/cache", "/elsewhere");
            Assert.Equal(1, cache.Count);
            await AssertReadAsync(cache, PieceOf(7));
            await Waiting.UntilAsync(() => cache.Problem is not null, "the cache is missed");
            disk.CreateDirectory("/cache");
        }

        Assert.Throws<StorageException>(() => DiskCache.Open(disk, "/cache", source, buffers));
        Assert.Empty(disk.List("/cache")); // Nothing is begun on the disk below.
        using var back = DiskCache.Open(disk, "/elsewhere", source, buffers);
        Assert.Throws<LockedException>(() => DiskCache.Open(disk, "/elsewhere", source, buffers));
    }

    [Fact]
    public async Task A_cache_of_another_size_or_that_is_damaged_is_emptied_and_what_is_none_is_left_alone()
    {
        var disk = new SimulatedFileSystem(isRecording: false);
        Assert.Throws<StorageException>(() => OpenOrCreate(disk, 4));
        Assert.False(disk.DirectoryExists("/cache")); // A disk that is not mounted does not fill the one below.
        disk.CreateDirectory("/cache");
        await FillAsync(4, found: 0);
        await FillAsync(4, found: 2);
        await FillAsync(6, found: 0);
        await FillAsync(6, found: 2);
        foreach (var damage in (byte[][])[[0xFF], new byte[4096]])
        {
            using (var file = disk.Open("/cache/pieces", FileOpenMode.Existing)) file.Write(damage, damage.Length == 1 ? 20 : 0);
            await FillAsync(6, found: 0);
        }

        using (var file = disk.Open("/cache/pieces", FileOpenMode.Existing)) file.Write("my notes"u8, 0);
        Assert.Throws<CorruptDataException>(() => OpenOrCreate(disk, 6));
        using var left = disk.Open("/cache/pieces", FileOpenMode.ReadOnly);
        var begin = new byte[8];
        left.Read(begin, 0);
        Assert.Equal("my notes"u8.ToArray(), begin);

        async Task FillAsync(int slots, int found)
        {
            using var cache = OpenOrCreate(disk, slots);
            await Waiting.UntilAsync(() => cache.Keeping == 0, "what it has is found");
            Assert.Equal(found, cache.Count);
            for (var number = 0; number < 2; number++) await AssertReadAsync(cache, PieceOf(number));
            await Waiting.UntilAsync(() => cache.Keeping == 0, "the pieces are kept");
            Assert.Equal(((long)found, 2L - found), cache.Requests);
        }
    }

    [Theory, Seeds(count: 4)]
    public async Task A_cache_is_used_while_what_it_has_is_still_looked_for(ulong seed)
    {
        var random = new SeededRandom(seed);
        var disk = new SimulatedFileSystem(isRecording: false);
        disk.CreateDirectory("/cache");
        for (var run = 0; run < 10; run++)
        {
            using var cache = OpenOrCreate(disk, 8);
            for (var round = 0; round < 20; round++) await AssertReadAsync(cache, PieceOf(random.Next(12)));
            await Waiting.UntilAsync(() => cache.Keeping == 0, "the pieces are kept");
            Assert.InRange(cache.Count, 1, 8);
            Assert.Null(cache.Problem);
        }
    }

    [Fact]
    public async Task A_cache_can_be_filled_before_anybody_asks()
    {
        var cache = new MemoryCache(source, 100 * PieceBytes);
        var blocks = new[] { BlockOf(1, PieceBytes * 3), BlockOf(2, 10) };
        Assert.Equal((3 * PieceBytes + 10, 0), await Prewarming.RunAsync(cache, NodeExtensions.Owner, blocks));
        Assert.Equal(4, source.Fetched.Count);
        for (var index = 0; index < 3; index++) await AssertReadAsync(cache, new BlockPiece(NodeExtensions.Owner, blocks[0], index));
        Assert.Equal(4, source.Fetched.Count);
        source.Failure = new BlockUnreadableException(blocks[0].Name, []);
        Assert.Equal((0, 1), await Prewarming.RunAsync(cache, NodeExtensions.Owner, [BlockOf(3, 10)]));
    }

    DiskCache OpenOrCreate(SimulatedFileSystem disk, int slots) =>
        DiskCache.OpenOrCreate(disk, "/cache", 4096 + (slots * SlotBytes), source, buffers, new SeededEntropy(1));

    static long LengthOf(SimulatedFileSystem disk)
    {
        using var file = disk.Open("/cache/pieces", FileOpenMode.ReadOnly);
        return file.LengthBytes;
    }

    static async Task AssertReadAsync(IPieceSource cache, BlockPiece piece)
    {
        var read = await cache.FetchAsync(piece);
        Assert.True(read.Content.Span.SequenceEqual(SourceOfTests.ContentOf(piece)));
        read.Release();
    }

    static FileBlock BlockOf(int number, int length) =>
        new(new BlockName(ContentHash.Of(BitConverter.GetBytes(number)), (ulong)number), length);

    static BlockPiece PieceOf(int number) => new(NodeExtensions.Owner, BlockOf(number, PieceBytes - number), 0);

    static BlockPiece WholePieceOf(int number) => new(NodeExtensions.Owner, BlockOf(number, PieceBytes), 0);

    sealed class PooledSource(BufferPool buffers) : IPieceSource
    {
        public BufferPool Buffers => buffers;

        public Task<SharedBuffer> FetchAsync(BlockPiece piece, CancellationToken cancellationToken = default)
        {
            var buffer = buffers.Rent();
            SourceOfTests.ContentOf(piece).CopyTo(buffer.Space);
            buffer.LengthBytes = piece.LengthBytes;
            return Task.FromResult(buffer);
        }
    }

    sealed class SourceOfTests : IPieceSource
    {
        readonly Lock gate = new();

        public List<int> Fetched { get; } = [];

        public SemaphoreSlim? Gate { get; set; }

        public Exception? Failure { get; set; }

        // Each ends with its own CRC-32C, so that the CRC-32C of all of them is the same.
        public static byte[] ContentOf(BlockPiece piece)
        {
            var content = NodeExtensions.Content((int)piece.Block.Name.Generation + (piece.Index * 1000), piece.LengthBytes);
            if (content is [.. var body, _, _, _, _])
                BinaryPrimitives.WriteUInt32LittleEndian(content.AsSpan(body.Length), Crc32C.Compute(body));
            return content;
        }

        public async Task<SharedBuffer> FetchAsync(BlockPiece piece, CancellationToken cancellationToken = default)
        {
            if (Gate is not null) await Gate.WaitAsync(cancellationToken);
            if (Failure is not null) throw Failure;
            lock (gate) Fetched.Add((int)piece.Block.Name.Generation);
            return SharedBuffer.Of(ContentOf(piece));
        }
    }
}
