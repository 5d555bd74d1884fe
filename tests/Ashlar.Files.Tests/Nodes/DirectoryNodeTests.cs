using System.Buffers.Binary;
using Ashlar.Simulation;
using Ashlar.Storage;
using static Ashlar.Files.Tests.Nodes.NodeExtensions;

namespace Ashlar.Files.Tests.Nodes;

/// <summary>A storage node keeps what it is given, and gives nothing that it was not given.</summary>
public sealed class DirectoryNodeTests : IAsyncLifetime
{
    const string Root = "/disk/node";
    static readonly DirectoryNodeOptions Options = new() { ReserveBytes = 0, TrashPeriod = TimeSpan.FromHours(1) };

    readonly SimulatedFileSystem disk = new(isRecording: false);
    readonly SimulatedClock clock = new();
    DirectoryNode node = null!;

    public async Task InitializeAsync()
    {
        var id = DirectoryNode.Create(disk, Root, new SeededEntropy(1), clock);
        node = DirectoryNode.Open(disk, Root, id, Options, clock, new SeededEntropy(2));
        await Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await node.DisposeAsync();
        Assert.Equal(0, disk.OpenFiles);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(65_535)]
    [InlineData(65_536)]
    [InlineData(65_537)]
    [InlineData(300_000)]
    public async Task A_block_comes_back_whole_and_in_parts(int length)
    {
        var content = Content(1, length);
        var stored = await node.PutAsync(content, generation: 5);
        Assert.Equal((NameOf(content, 5), Owner, length), (stored.Id.Name, stored.Id.Customer, stored.Digest.LengthBytes));
        Assert.Equal(content, await node.GetAsync(stored.Id.Name));
        for (var offset = 0; offset < length; offset += BlockGeometry.UnitBytes)
        {
            var buffer = new byte[BlockGeometry.UnitBytes];
            var part = await node.ReadAsync(stored.Id, offset, buffer, default);
            Assert.Equal(content.AsSpan(offset, part.LengthBytes), buffer.AsSpan(0, part.LengthBytes));
            Assert.Equal(Math.Min(BlockGeometry.UnitBytes, length - offset), part.LengthBytes);
        }

        Assert.Equal(0, (await node.ReadAsync(stored.Id, (length / 65_536 * 65_536) + 65_536, new byte[65_536], default)).LengthBytes);
        Assert.True(stored.Digest.Matches((await node.VerifyAsync(stored.Id, default)).Digest));
        Assert.True(stored.Digest.Matches((await node.FindAsync(stored.Id, default))!.Digest));
    }

    [Fact]
    public async Task Content_that_is_not_what_its_name_says_is_refused_and_leaves_nothing()
    {
        var content = Content(1, 1000);
        var wrong = NameOf(Content(2, 1000));
        await AssertRefusedAsync(NodeErrorKind.ContentDiffers, () => node.PutAsync(content, name: wrong));
        Assert.Null(await node.FindAsync(wrong, default));
        Assert.Empty(disk.List($"{Root}/temp"));
        var nothing = await node.BeginAsync(10, default);
        await AssertRefusedAsync(
            NodeErrorKind.ContentDiffers, () => node.InstallAsync(nothing, NameOf([]), default).AsTask());
    }

    [Fact]
    public async Task Content_that_is_not_what_was_sent_is_refused_though_the_hash_is_believed()
    {
        var (sent, came) = (Content(1, 70_000), Content(1, 70_000));
        using var hasher = new BlockHasher();
        hasher.Append(sent);
        var digest = hasher.Finish();
        var block = new CustomerBlock(Owner, NameOf(sent));
        foreach (var at in (int[])[0, 65_535, 65_536, 69_999])
        {
            came[at] ^= 1;
            var ticket = await node.AppendAllAsync(came);
            await AssertRefusedAsync(NodeErrorKind.ContentDiffers, () => node.InstallAsync(ticket, block, digest, default).AsTask());
            came[at] ^= 1;
        }

        var cut = await node.AppendAllAsync(came[..65_536]);
        await AssertRefusedAsync(NodeErrorKind.ContentDiffers, () => node.InstallAsync(cut, block, digest, default).AsTask());
        var other = await node.AppendAllAsync(came);
        await AssertRefusedAsync(
            NodeErrorKind.ContentDiffers,
            () => node.InstallAsync(other, block with { Name = NameOf(Content(2, 5)) }, digest, default).AsTask());
        var stored = await node.InstallAsync(await node.AppendAllAsync(came), block, digest, default);
        Assert.True(digest.Matches(stored.Digest));
        Assert.True(digest.Matches((await node.VerifyAsync(block, default)).Digest));
        Assert.Empty(disk.List($"{Root}/temp"));
    }

    [Fact]
    public async Task A_block_that_is_stored_again_is_stored_once()
    {
        var content = Content(1, 70_000);
        await node.PutAsync(content);
        await node.PutAsync(content);
        await node.PutAsync(content, generation: 2);
        var listed = await node.ListAllAsync();
        Assert.Equal([NameOf(content, 1), NameOf(content, 2)], listed.Select(entry => entry.Id.Name));
    }

    [Fact]
    public async Task The_same_content_of_two_customers_under_one_number_is_two_blocks()
    {
        var content = Content(1, 70_000);
        var (one, other) = (new CustomerBlock(Owner, NameOf(content, 5)), new CustomerBlock(new(8), NameOf(content, 5)));
        await node.InstallAsync(await node.AppendAllAsync(content), one, default);
        await AssertRefusedAsync(NodeErrorKind.NotFound, () => node.VerifyAsync(other, default).AsTask());
        await node.InstallAsync(await node.AppendAllAsync(content), other, default);
        Assert.Equal([one, other], (await node.ListAllAsync(1)).Select(entry => entry.Block!.Id));
        Assert.True(await node.RemoveAsync(one, null, default));
        Assert.Equal(other, (await node.VerifyAsync(other, default)).Id);
        Assert.False(await node.RestoreAsync(new CustomerBlock(new(9), one.Name), default));
        Assert.True(await node.RestoreAsync(one, default));
        Assert.Equal(content, await node.GetAsync(one.Name));
    }

    [Fact]
    public async Task Only_the_copy_that_is_meant_is_taken_away()
    {
        var content = Content(1, 1000);
        var first = await node.PutAsync(content);
        var second = await node.PutAsync(content);
        Assert.NotEqual(first.Mark, second.Mark);
        Assert.Equal(second.Mark, (await node.FindAsync(first.Id, default))!.Mark);
        Assert.False(await node.RemoveAsync(first.Id, first.Mark, default));
        Assert.False(await node.RemoveAsync(first.Id, 0, default));
        Assert.True(await node.RemoveAsync(first.Id, second.Mark, default));
        await node.PutAsync(content);
        using (var file = disk.Open(FileOf(Root, first.Id.Name), FileOpenMode.Existing)) file.SetLength(500);
        Assert.False(await node.RemoveAsync(first.Id, second.Mark, default));
        Assert.True(await node.RemoveAsync(first.Id, 0, default));
    }

    [Fact]
    public async Task Space_is_reserved_for_what_was_announced_and_then_as_more_comes()
    {
        disk.CapacityBytes = 18 << 20;
        var tickets = new List<UploadTicket>();
        for (var i = 0; i < 8; i++) tickets.Add(await node.BeginAsync(1 << 20, default)); // Eight whole blocks would not fit.
        var piece = Content(1, 256 << 10);
        for (var done = 0; done < 6 << 20; done += piece.Length) await node.AppendAsync(tickets[0], done, piece, default);
        await AssertRefusedAsync(
            NodeErrorKind.Full,
            async () =>
            {
                for (var done = 0; done < 6 << 20; done += piece.Length) await node.AppendAsync(tickets[1], done, piece, default);
            });

        // What the others have announced is theirs.
        foreach (var ticket in tickets.Skip(2))
            for (var done = 0; done < 512 << 10; done += piece.Length) await node.AppendAsync(ticket, done, piece, default);
        await AssertRefusedAsync(
            NodeErrorKind.InvalidRequest,
            () => node.AppendAsync(tickets[2], 512 << 10, new byte[BlockGeometry.MaxLengthBytes], default).AsTask());
    }

    [Fact]
    public async Task Pieces_that_do_not_follow_each_other_end_the_upload()
    {
        var ticket = await node.BeginAsync(1000, default);
        await node.AppendAsync(ticket, 0, Content(1, 10), default);
        await AssertRefusedAsync(NodeErrorKind.InvalidRequest, () => node.AppendAsync(ticket, 5, Content(1, 10), default).AsTask());
        await AssertRefusedAsync(NodeErrorKind.UnknownUpload, () => node.AppendAsync(ticket, 10, Content(1, 10), default).AsTask());
        await AssertRefusedAsync(NodeErrorKind.InvalidRequest, () => node.BeginAsync(BlockGeometry.MaxLengthBytes + 1, default).AsTask());
        await AssertRefusedAsync(NodeErrorKind.InvalidRequest, () => node.ReadAsync(default(BlockName), 1, new byte[10], default).AsTask());
        Assert.Empty(disk.List($"{Root}/temp"));
    }

    [Fact]
    public async Task An_upload_that_nobody_goes_on_with_is_forgotten()
    {
        var idle = await node.AppendAllAsync(Content(1, 1000));
        clock.JumpWallClock(TimeSpan.FromDays(3)); // Nobody is idle because a clock was set.
        var busy = await node.BeginAsync(1000, default);
        await node.AppendAsync(idle, 1000, ReadOnlyMemory<byte>.Empty, default);
        clock.Advance(TimeSpan.FromMinutes(16));
        await node.BeginAsync(1000, default);
        await AssertRefusedAsync(NodeErrorKind.UnknownUpload, () => node.InstallAsync(idle, default(BlockName), default).AsTask());
        await AssertRefusedAsync(NodeErrorKind.UnknownUpload, () => node.InstallAsync(busy, default(BlockName), default).AsTask());
        Assert.Single(disk.List($"{Root}/temp"));
    }

    [Fact]
    public async Task A_full_disk_takes_nothing_and_keeps_what_it_has()
    {
        var content = Content(1, 100_000);
        await node.PutAsync(content);
        disk.CapacityBytes = 300_000;
        var first = await node.BeginAsync(100_000, default);
        var refusal = await AssertRefusedAsync(NodeErrorKind.Full, () => node.BeginAsync(100_000, default).AsTask());
        Assert.Equal(FailureClass.NoSpace, refusal.FailureClass);
        disk.CapacityBytes = 150_000; // Somebody else takes what was reserved.
        await AssertRefusedAsync(NodeErrorKind.Full, () => node.AppendAsync(first, 0, Content(2, 100_000), default).AsTask());
        Assert.Empty(disk.List($"{Root}/temp"));
        Assert.Equal(content, await node.GetAsync(NameOf(content)));
        disk.CapacityBytes = 1 << 20;
        await node.PutAsync(Content(2, 100_000));
        Assert.Equal(NodeState.Up, (await node.GetHealthAsync(default)).State);
    }

    [Fact]
    public async Task Of_two_who_take_a_block_away_or_put_it_back_at_once_neither_makes_the_node_suspect()
    {
        var content = Content(1, 1000);
        await node.PutAsync(content);
        for (var round = 0; round < 100; round++)
        {
            var removed = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => node.RemoveAsync(NameOf(content), default).AsTask()));
            Assert.Single(removed, wasThere => wasThere);
            var restored = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => node.RestoreAsync(NameOf(content), default).AsTask()));
            Assert.DoesNotContain(false, restored);
        }

        Assert.Equal(NodeState.Up, (await node.GetHealthAsync(default)).State);
        Assert.Equal(content, await node.GetAsync(NameOf(content)));
    }

    [Fact]
    public async Task What_is_taken_away_can_be_put_back_until_the_node_was_open_for_long_enough()
    {
        var (one, other) = (Content(1, 1000), Content(2, 1000));
        await node.PutAsync(one);
        await node.PutAsync(other);
        Assert.True(await node.RemoveAsync(NameOf(one), default));
        Assert.False(await node.RemoveAsync(NameOf(one), default));
        await AssertRefusedAsync(NodeErrorKind.NotFound, () => node.GetAsync(NameOf(one)));
        clock.JumpWallClock(TimeSpan.FromDays(4000));
        Assert.Equal(0, await node.PurgeAsync(100, default));
        Assert.True(await node.RestoreAsync(NameOf(one), default));
        Assert.True(await node.RestoreAsync(NameOf(one), default)); // It has it.
        Assert.Equal(one, await node.GetAsync(NameOf(one)));

        await node.RemoveAsync(NameOf(one), default);
        clock.Advance(TimeSpan.FromMinutes(40));
        Assert.Equal(0, await node.PurgeAsync(100, default));
        await ReopenAsync();
        clock.JumpWallClock(TimeSpan.FromDays(-9000));
        clock.Advance(TimeSpan.FromMinutes(19));
        Assert.Equal(0, await node.PurgeAsync(100, default));
        clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(1, await node.PurgeAsync(100, default));
        Assert.False(await node.RestoreAsync(NameOf(one), default));
        Assert.Equal(other, await node.GetAsync(NameOf(other)));
    }

    [Fact]
    public async Task The_inventory_needs_nothing_but_the_files()
    {
        var names = new List<BlockName>();
        for (var i = 0; i < 20; i++) names.Add((await node.PutAsync(Content(i, 100 + i), generation: (ulong)i)).Id.Name);
        await ReopenAsync();
        var damaged = names[3];
        using (var file = disk.Open(FileOf(Root, damaged), FileOpenMode.Existing)) file.SetLength(file.LengthBytes - 1);
        disk.Open($"{Root}/blocks/0/0/{new CustomerBlock(Owner, damaged).ToString().ToUpperInvariant()}", FileOpenMode.CreateNew).Dispose();
        disk.Open($"{Root}/blocks/0/0/README", FileOpenMode.CreateNew).Dispose();
        var listed = await node.ListAllAsync();
        names.Sort();
        Assert.Equal(names, listed.Select(entry => entry.Id.Name));
        foreach (var entry in listed)
        {
            Assert.Equal(entry.Id.Name == damaged, entry.Block is null);
            if (entry.Block is { } block)
                Assert.Equal((Owner, 100 + (int)entry.Id.Name.Generation), (block.Id.Customer, block.Digest.LengthBytes));
            else Assert.Contains("damaged", entry.Problem, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Every_bit_of_a_file_counts()
    {
        var content = Content(1, 66_000);
        var name = (await node.PutAsync(content)).Id.Name;
        using var file = disk.Open(FileOf(Root, name), FileOpenMode.Existing);
        var length = file.LengthBytes;
        var original = new byte[length];
        file.Read(original, 0);
        var random = new SeededRandom(4);
        for (var round = 0; round < 300; round++)
        {
            // The trailer is short and has to be hit as well.
            var at = round % 2 == 0 ? random.NextInt64(length) : length - 1 - random.NextInt64(200);
            file.Write([(byte)(original[at] ^ (1 << random.Next(8)))], at);
            await AssertRefusedAsync(NodeErrorKind.Damaged, () => node.VerifyAsync(name, default).AsTask());
            await AssertRefusedAsync(NodeErrorKind.Damaged, () => node.GetAsync(name));
            file.Write([original[at]], at);
        }

        // A unit that is whole is given while another one is not.
        file.Write([(byte)~original[65_990]], 65_990);
        Assert.Equal(65_536, (await node.ReadAsync(name, 0, new byte[65_536], default)).LengthBytes);
        await AssertRefusedAsync(NodeErrorKind.Damaged, () => node.ReadAsync(name, 65_536, new byte[65_536], default).AsTask());
        foreach (var cut in (long[])[0, 1, 127, 128, 66_000, length - 1])
        {
            file.SetLength(cut);
            await AssertRefusedAsync(NodeErrorKind.Damaged, () => node.GetAsync(name));
            file.SetLength(length);
            await AssertRefusedAsync(NodeErrorKind.Damaged, () => node.GetAsync(name)); // Zeros now.
            file.Write(original, 0);
        }

        Assert.Equal(content, await node.GetAsync(name));
    }

    [Fact]
    public async Task A_block_under_the_name_of_another_is_damaged_and_one_of_a_later_version_is_left_alone()
    {
        var (one, other) = ((await node.PutAsync(Content(1, 100))).Id.Name, (await node.PutAsync(Content(2, 100))).Id.Name);
        disk.Rename(FileOf(Root, one), FileOf(Root, other));
        await AssertRefusedAsync(NodeErrorKind.Damaged, () => node.GetAsync(other));
        await AssertRefusedAsync(NodeErrorKind.NotFound, () => node.GetAsync(one));
        await node.PutAsync(Content(2, 100));
        Assert.Equal(Content(2, 100), await node.GetAsync(other));
        using (var file = disk.Open(FileOf(Root, other), FileOpenMode.Existing))
        {
            var trailer = new byte[132];
            file.Read(trailer, 100);
            trailer[12] = 2;
            BinaryPrimitives.WriteUInt32LittleEndian(trailer.AsSpan(128), Crc32C.Compute(trailer.AsSpan(0, 128)));
            file.Write(trailer, 100);
        }

        await AssertRefusedAsync(NodeErrorKind.Unsupported, () => node.GetAsync(other));
    }

    [Fact]
    public async Task Many_install_at_a_time_and_share_syncs_of_directories()
    {
        await Task.WhenAll(Enumerable.Range(0, 64).Select(number => node.PutAsync(Content(number, 500))));
        Assert.Equal(64, (await node.ListAllAsync(10)).Count);
        var (made, asked) = node.DirectorySyncCounts;
        Assert.Equal(128, asked);
        Assert.InRange(made, 64, 128);
    }

    [Fact]
    public async Task A_node_that_has_too_much_to_do_says_so_at_once()
    {
        await node.DisposeAsync();
        using var release = new ManualResetEventSlim();
        var slow = new FaultyFileSystem(disk)
        {
            BeforeOperation = (operation, path) =>
            {
                if (operation == FaultOperations.Write && path.Contains("/temp/", StringComparison.Ordinal)) release.Wait();
            },
        };
        node = DirectoryNode.Open(slow, Root, null, Options with { QueueLimit = 3, DiskDepth = 1 }, clock);
        var tickets = new List<UploadTicket>();
        for (var i = 0; i < 4; i++) tickets.Add(await node.BeginAsync(100, default));
        var free = (await node.GetHealthAsync(default)).FreeBytes;
        NodeHealth health, hung;
        var waiting = tickets.Take(3).Select(ticket => node.AppendAsync(ticket, 0, Content(1, 10), default).AsTask()).ToArray();
        try
        {
            await AssertRefusedAsync(NodeErrorKind.Busy, () => node.AppendAsync(tickets[3], 0, Content(1, 10), default).AsTask());

            // It has much to do, and is not lost, unless it answers nothing at all for long.
            health = await AskHealthAsync(TimeSpan.FromSeconds(1));
            hung = await AskHealthAsync(TimeSpan.FromSeconds(30));
        }
        finally
        {
            release.Set();
        }

        await Task.WhenAll(waiting);
        Assert.Equal(NodeState.Up, health.State);
        Assert.Equal(free, health.FreeBytes);
        Assert.Equal(NodeState.Unavailable, hung.State);
        await node.AppendAsync(tickets[3], 0, Content(1, 10), default); // Whoever was refused for that may try again.
        Assert.Equal(0, (await node.GetHealthAsync(default)).QueueLength);
    }

    async Task<NodeHealth> AskHealthAsync(TimeSpan passes)
    {
        var asking = node.GetHealthAsync(default).AsTask();
        await TestKit.Waiting.UntilAsync(() => clock.UntilNextTimer is not null, "it waits for its disk");
        clock.Advance(passes);
        return await asking;
    }

    async Task ReopenAsync()
    {
        await node.DisposeAsync();
        node = DirectoryNode.Open(disk, Root, null, Options, clock, new SeededEntropy(3));
    }

    [Fact]
    public async Task A_trash_is_emptied_in_pages_while_blocks_are_installed_and_put_back()
    {
        var time = new SimulatedClock();
        var disk = new SimulatedFileSystem(isRecording: false);
        DirectoryNode.Create(disk, Root, new SeededEntropy(1));
        var watched = new WatchedTrash(disk);
        await using var node = DirectoryNode.Open(watched, Root, null, Options, time, new SeededEntropy(2));
        for (var number = 0; number < 12; number++)
        {
            await node.PutAsync(Content(number, 500));
            await node.RemoveAsync(NameOf(Content(number, 500)), default);
        }

        time.Advance(TimeSpan.FromHours(2));
        watched.Listings = 0;
        watched.WhileListed = () => Assert.True(node.PutAsync(Content(50, 500)).Wait(TimeSpan.FromSeconds(30)));
        Assert.Equal(5, await node.PurgeAsync(5, default));
        watched.WhileListed = null;
        var left = Enumerable.Range(0, 12).First(number => disk.List($"{Root}/trash").Any(name => name.EndsWith(
            new CustomerBlock(Owner, NameOf(Content(number, 500))).ToString(), StringComparison.Ordinal)));
        Assert.True(await node.RestoreAsync(NameOf(Content(left, 500)), default));
        watched.Listings = 0;
        Assert.Equal(5, await node.PurgeAsync(5, default));
        Assert.Equal(1, await node.PurgeAsync(5, default));
        Assert.Equal(0, watched.Listings);
        Assert.Equal(0, await node.PurgeAsync(5, default));
        Assert.Equal(2, (await node.ListAllAsync()).Count);
        await node.VerifyAsync(NameOf(Content(left, 500)), default);
    }

    sealed class WatchedTrash(Storage.IFileSystem inner) : PassingFileSystem(inner)
    {
        public int Listings { get; set; }

        public Action? WhileListed { get; set; }

        public override IReadOnlyList<string> List(string directory)
        {
            if (directory.EndsWith("/trash", StringComparison.Ordinal))
            {
                Listings++;
                WhileListed?.Invoke();
            }

            return base.List(directory);
        }
    }
}
