using System.Text;
using Ashlar.Simulation;

namespace Ashlar.Files.Tests;

/// <summary>FILE-1, FILE-2, FILE-6: the five operations, over blocks that are durable first.</summary>
public sealed class FileServiceTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4096)]
    [InlineData(4097)]
    [InlineData(8192)]
    [InlineData(8193)]
    [InlineData(50_000)]
    public async Task A_file_comes_back_as_it_was(int length)
    {
        await using var rig = await FileRig.CreateAsync();
        var content = FileRig.Content(length);
        var entry = await rig.PutAsync("/f", content);
        Assert.Equal((length, entry), (entry.SizeBytes, await rig.Store.StatAsync(rig.Customer, FilePath.Parse("/f"))));
        Assert.Equal(content, await rig.GetAsync("/f"));
        if (length <= 8192) Assert.Equal(ContentHash.Of(content).ToString(), entry.Tag);
        else Assert.EndsWith($"-{(length + 8191) / 8192}", entry.Tag, StringComparison.Ordinal);
        (int, int)[] ranges = [(0, 1), (length / 2, 5000), (8190, 4), (length, 10), (length + 5, 1), (3, int.MaxValue)];
        foreach (var (offset, count) in ranges)
            Assert.Equal(content.Skip(offset).Take(count), await rig.GetAsync("/f", offset, count));
        Assert.Empty(await rig.Store.ListIntentsAsync(null, null, false, 10));
        StoreInvariants.Check(rig.Store, rig.Nodes);
    }

    [Fact]
    public async Task The_five_operations_do_what_they_say()
    {
        await using var rig = await FileRig.CreateAsync();
        var (files, customer) = (rig.Files, rig.Customer);
        await files.CreateDirectoryAsync(customer, FilePath.Parse("/models"));
        await rig.PutAsync("/models/a.bin", Encoding.UTF8.GetBytes("weights"));
        Assert.Equal("eigh", Encoding.UTF8.GetString(await rig.GetAsync("/models/a.bin", 1, 4)));
        var page = await files.ListDirectoryAsync(customer, FilePath.Parse("/models"));
        Assert.Equal("/models/a.bin", Assert.Single(page.Entries).Path.ToString());
        await Assert.ThrowsAsync<DirectoryNotEmptyException>(() => files.DeleteDirectoryAsync(customer, FilePath.Parse("/models")));
        await files.DeleteDirectoryAsync(customer, FilePath.Parse("/models/a.bin"));
        Assert.Empty((await files.ListDirectoryAsync(customer, FilePath.Parse("/models"))).Entries);
        await files.DeleteDirectoryAsync(customer, FilePath.Parse("/models"));
        await Assert.ThrowsAsync<PathNotFoundException>(() => files.ListDirectoryAsync(customer, FilePath.Parse("/models")));
        await Assert.ThrowsAsync<PathNotFoundException>(() => files.DeleteDirectoryAsync(customer, FilePath.Parse("/models")));
        Assert.Empty((await files.ListDirectoryAsync(customer, FilePath.Root)).Entries);
        await rig.PutAsync("/f", []);
        await Assert.ThrowsAsync<NotADirectoryException>(() => files.ListDirectoryAsync(customer, FilePath.Parse("/f")));
        await Assert.ThrowsAsync<PathExistsException>(() => rig.PutAsync("/f", FileRig.Content(10_000)));
    }

    [Fact]
    public async Task The_same_content_is_stored_once()
    {
        await using var rig = await FileRig.CreateAsync();
        byte[] content = [.. FileRig.Content(8192), .. FileRig.Content(8192), .. FileRig.Content(100)];
        await rig.PutAsync("/f", content);
        var written = rig.Nodes.InstalledBytes;
        Assert.Equal(2 * (8192 + 100), written);
        await rig.PutAsync("/g", content);
        Assert.Equal(written, rig.Nodes.InstalledBytes);
        await rig.Files.DeleteDirectoryAsync(rig.Customer, FilePath.Parse("/f"));
        await rig.DrainAsync();
        Assert.Equal(content, await rig.GetAsync("/g"));
        StoreInvariants.CheckNothingIsLeft(rig.Store, rig.Nodes);
    }

    [Fact]
    public async Task A_block_whose_copies_are_gone_is_no_hit_and_the_upload_gives_it_more()
    {
        await using var rig = await FileRig.CreateAsync();
        var content = FileRig.Content(5000);
        await rig.PutAsync("/f", content);
        var name = (await rig.Store.GetFileAsync(rig.Customer, FilePath.Parse("/f"))).Blocks[0].Name;
        rig.Nodes.Lose(new(1), name);
        rig.Nodes.Away.Add(new(1));
        await Assert.ThrowsAnyAsync<FileStoreException>(async () =>
        {
            // One node is left that has no copy: two copies are not to be had, but three are listed.
            rig.Nodes.Away.Add(new(2));
            await rig.PutAsync("/g", FileRig.Content(5001));
        });
        rig.Nodes.Away.Remove(new(2));
        await rig.PutAsync("/h", content);
        var row = (await rig.Store.GetLocationsAsync(rig.Customer, [name]))[0]!;
        Assert.Equal((NodeId[])[new(1), new(2), new(3)], row.Nodes);
        Assert.Equal(content, await rig.GetAsync("/h"));
    }

    [Fact]
    public async Task Too_few_nodes_make_no_file_and_leave_nothing()
    {
        await using var rig = await FileRig.CreateAsync();
        rig.Nodes.Away.UnionWith([new(1), new(2)]);
        await Assert.ThrowsAsync<TooFewCopiesException>(() => rig.PutAsync("/f", FileRig.Content(5000)));
        Assert.Null(await rig.Store.StatAsync(rig.Customer, FilePath.Parse("/f")));
        Assert.Empty(await rig.Store.ListIntentsAsync(null, null, false, 10));
        // What was written goes when the nodes are back: they are asked, for nobody knows.
        Assert.Equal(1, (await rig.Collector.RunAsync()).Waiting);
        rig.Nodes.Away.Clear();
        Assert.Equal(1, (await rig.Collector.RunAsync()).Deleted);
        StoreInvariants.CheckNothingIsLeft(rig.Store, rig.Nodes);
    }

    [Fact]
    public async Task Content_that_is_not_as_long_as_announced_makes_no_file()
    {
        await using var rig = await FileRig.CreateAsync();
        foreach (var (length, announced) in ((int, long)[])[(10, 11), (10, 9), (20_000, 20_001), (20_000, 19_999), (20_000, 0)])
        {
            await Assert.ThrowsAsync<ContentLengthException>(
                () => rig.PutAsync("/f", FileRig.Content(length), new() { ExpectedBytes = announced }));
        }

        await rig.PutAsync("/f", FileRig.Content(20_000), new() { ExpectedBytes = 20_000 });
        await rig.PutAsync("/g", FileRig.Content(10), new() { ExpectedBytes = 10 });
        await rig.DrainAsync();
        StoreInvariants.CheckNothingIsLeft(rig.Store, rig.Nodes);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(20_000)]
    public async Task An_upload_that_is_repeated_because_its_answer_was_lost_is_one_upload(int length)
    {
        await using var rig = await FileRig.CreateAsync();
        var create = new CreateFileOptions { UploadId = 4711 };
        var entry = await rig.PutAsync("/f", FileRig.Content(length), create);
        Assert.Equal(entry, await rig.PutAsync("/f", FileRig.Content(length), create));
        await Assert.ThrowsAsync<UploadIdInUseException>(() => rig.PutAsync("/g", FileRig.Content(length), create));
        Assert.Equal(new(length, 1, 0), await rig.Store.GetUsageAsync(rig.Customer));
    }

    [Fact]
    public async Task An_upload_that_died_goes_on_under_its_number_with_what_it_had_pinned()
    {
        await using var rig = await FileRig.CreateAsync();
        var content = FileRig.Content(20_000);
        var died = await rig.Store.OpenIntentAsync(rig.Customer, 4711, FilePath.Parse("/f"), "died", FileRig.Lease);
        await rig.Store.PinAsync(died.Token, [new(ContentHash.Of(content.AsSpan(0, 8192)), 8192)]);
        await rig.PutAsync("/f", content, new() { UploadId = 4711 });
        Assert.Equal(content, await rig.GetAsync("/f"));
        await Assert.ThrowsAsync<IntentLostException>(() => rig.Store.RenewIntentAsync(died.Token, FileRig.Lease));
        await rig.DrainAsync();
        StoreInvariants.CheckNothingIsLeft(rig.Store, rig.Nodes);
    }

    [Fact]
    public async Task A_slow_client_keeps_its_lease_and_one_that_loses_it_makes_no_file()
    {
        await using var rig = await FileRig.CreateAsync();
        var content = new SlowStream(FileRig.Content(30_000), pauseAt: 15_000);
        var upload = rig.Files.CreateFileAsync(rig.Customer, FilePath.Parse("/f"), content);
        await content.Paused;
        for (var i = 0; i < 30; i++)
        {
            rig.Clock.Advance(FileRig.Lease / 3);
            await TestKit.Waiting.UntilAsync(() => EndsAt() == rig.Clock.GetUtcNow() + FileRig.Lease, "the lease is renewed");
        }

        Assert.Equal(new CollectionReport(0, 0, 0, 0, 0, 0), await rig.Collector.RunAsync());
        content.GoOn();
        await upload;
        Assert.Equal(FileRig.Content(30_000), await rig.GetAsync("/f"));

        var second = new SlowStream(FileRig.Content(30_000, seed: 2), pauseAt: 15_000);
        var lost = rig.Files.CreateFileAsync(rig.Customer, FilePath.Parse("/g"), second);
        await second.Paused;
        var intent = Assert.Single(await rig.Store.ListIntentsAsync(null, null, false, 10));
        await rig.Store.OpenIntentAsync(rig.Customer, intent.Token.Id, intent.Path, "another", FileRig.Lease);
        second.GoOn();
        await Assert.ThrowsAsync<IntentLostException>(() => lost);
        Assert.Null(await rig.Store.StatAsync(rig.Customer, FilePath.Parse("/g")));
        await rig.DrainAsync();
        StoreInvariants.CheckNothingIsLeft(rig.Store, rig.Nodes);

        DateTimeOffset EndsAt() => rig.Store.ListIntentsAsync(null, null, false, 1).Result[0].LeaseEndsAt;
    }

    [Fact]
    public async Task A_client_that_goes_away_leaves_nothing()
    {
        await using var rig = await FileRig.CreateAsync();
        for (var pauseAt = 1000; pauseAt < 30_000; pauseAt += 4000)
        {
            using var gone = new CancellationTokenSource();
            var content = new SlowStream(FileRig.Content(30_000), pauseAt);
            var upload = rig.Files.CreateFileAsync(rig.Customer, FilePath.Parse("/f"), content, cancellationToken: gone.Token);
            await content.Paused;
            await gone.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => upload);
        }

        Assert.Empty(await rig.Store.ListIntentsAsync(null, null, false, 10));
        await rig.DrainAsync();
        StoreInvariants.CheckNothingIsLeft(rig.Store, rig.Nodes);
    }

    [Fact]
    public async Task A_quota_that_is_exceeded_leaves_nothing()
    {
        await using var rig = await FileRig.CreateAsync();
        await rig.Store.SetQuotaAsync(rig.Customer, new(9999, 5));
        await Assert.ThrowsAsync<QuotaExceededException>(() => rig.PutAsync("/f", FileRig.Content(10_000)));
        await rig.PutAsync("/f", FileRig.Content(9999));
        await rig.DrainAsync();
        StoreInvariants.CheckNothingIsLeft(rig.Store, rig.Nodes);
    }

    sealed class SlowStream(byte[] content, int pauseAt) : MemoryStream(content)
    {
        readonly TaskCompletionSource paused = new(), goOn = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Paused => paused.Task;

        public void GoOn() => goOn.SetResult();

        public override async ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken = default)
        {
            if (Position >= pauseAt)
            {
                paused.TrySetResult();
                await goOn.Task.WaitAsync(cancellationToken);
            }

            return Read(destination.Span[..Math.Min(destination.Length, 700)]);
        }
    }
}
