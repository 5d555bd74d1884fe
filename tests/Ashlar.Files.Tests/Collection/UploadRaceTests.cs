using Ashlar.KeyValue;
using Ashlar.Simulation;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.Files.Tests;

/// <summary>
/// An upload of content that is just being collected, through every interleaving of the steps of both, with no periods between the steps
/// of the collector: what a file names is there in the end, whichever way it went, and nothing else is.
/// </summary>
public sealed class UploadRaceTests(ITestOutputHelper output)
{
    static readonly byte[] Shared = FileRig.Content(5000);

    [Fact]
    public async Task Every_interleaving_of_an_upload_and_the_collector_ends_well()
    {
        await using var race = new Race();
        // The content is condemned already: the collector deletes it, the upload wants it.
        var count = await StepScheduler.ExploreAsync(scheduler => race.AddAsync(scheduler, Start.Condemned, "upload", "collect"));
        Report("condemned", count);
        Assert.True(count >= 200, $"only {count}");
        count = await StepScheduler.ExploreAsync(
            scheduler => race.AddAsync(scheduler, Start.Deleted, "upload", "collect"), Sample(80, "deleted"));
        Report("deleted", count);
    }

    [Fact]
    public async Task A_paused_upload_cannot_commit_after_its_pins_were_collected()
    {
        await using var race = new Race();
        foreach (var start in (Start[])[Start.Nothing, Start.Condemned])
        {
            var count = await StepScheduler.ExploreAsync(
                scheduler => race.AddAsync(scheduler, start, "upload", "lease ends", "collect"), Sample(60, $"{start}"));
            Report($"lease ends, {start}", count);
        }
    }

    [Fact]
    public async Task Two_uploads_of_one_content_the_deletion_of_it_and_the_collector_end_well()
    {
        await using var race = new Race();
        foreach (var start in (Start[])[Start.Live, Start.Condemned])
        {
            var count = await StepScheduler.ExploreAsync(
                scheduler => race.AddAsync(scheduler, start, "upload", "upload again", "collect", "delete"),
                (new SeededRandom(TestSeeds.First($"{nameof(UploadRaceTests)} {start}")), TestTier.Choose(40, 20_000)));
            Report($"two uploads, {start}", count);
        }
    }

    [Fact]
    public async Task A_copy_the_deletion_of_its_source_and_the_collector_end_well()
    {
        await using var race = new Race();
        var count = await StepScheduler.ExploreAsync(
            scheduler => race.AddAsync(scheduler, Start.Live, "copy", "collect", "delete"), Sample(100, "copy"));
        Report("copy", count);
    }

    [Fact]
    public async Task Parts_the_collector_the_end_of_their_lease_and_an_upload_of_the_same_end_well()
    {
        await using var race = new Race();
        foreach (var start in (Start[])[Start.Nothing, Start.Condemned])
        {
            foreach (var other in (string[])["lease ends", "abort", "upload"])
            {
                var count = await StepScheduler.ExploreAsync(
                    scheduler => race.AddAsync(scheduler, start, "parts", other, "collect"),
                    (new SeededRandom(TestSeeds.First($"{nameof(UploadRaceTests)} {start} {other}")), TestTier.Choose(15, 20_000)));
                Report($"parts, {other}, {start}", count);
            }
        }
    }

    [Theory]
    [InlineData("a copy is written by what its source was", "Live", "copy", "delete")]
    [InlineData("blocks of parts are not pinned", "Nothing", "parts", "upload")]
    public async Task A_planted_bug_of_copies_and_parts_is_found(string bug, string start, string actor, string other)
    {
        await using var race = new Race { Bug = bug };
        // It comes as far as it can be wrong, and all others go first: one order of the many, for it is rarely met.
        for (var steps = 1; steps < 8; steps++)
        {
            var scheduler = new StepScheduler();
            var check = await race.AddAsync(scheduler, Enum.Parse<Start>(start), actor, "collect", other);
            try
            {
                await scheduler.RunAsync(choices => scheduler.Decisions.Count < steps ? 0 : choices - 1);
                await check();
            }
            catch (Exception found) when (found is InvalidOperationException or BlockNotPinnedException)
            {
                output.WriteLine($"{found.Message}\n{string.Join('\n', scheduler.Trace)}");
                return;
            }
        }

        Assert.Fail("not found");
    }

    [Theory]
    [InlineData("pins are not asked for", "Condemned")]
    [InlineData("copies go before the row says so", "Condemned")]
    [InlineData("the lease is not asked for", "Nothing")]
    [InlineData("pinned only at the commit", "Condemned")]
    [InlineData("the state of a block is not asked for", "Condemned")]
    public async Task A_planted_bug_is_found(string bug, string start)
    {
        await using var race = new Race { Bug = bug };
        var found = await Assert.ThrowsAsync<InterleavingException>(() => StepScheduler.ExploreAsync(
            scheduler => race.AddAsync(scheduler, Enum.Parse<Start>(start), "upload", "lease ends", "collect"),
            (new SeededRandom(1), 2000)));
        output.WriteLine(found.Message);
    }

    // All of them in the deep tier.
    static (SeededRandom, int)? Sample(int count, string start) =>
        TestTier.IsDeep ? null : (new SeededRandom(TestSeeds.First($"{nameof(UploadRaceTests)} {start}")), count);

    void Report(string line, int interleavings) =>
        output.WriteLine(System.Text.Json.JsonSerializer.Serialize(new { line = $"file races: {line}", interleavings, failures = 0 }));

    enum Start
    {
        Nothing = 0,
        Live,
        Deleted,
        Condemned,
    }

    /// <summary>One store for all interleavings; each has a customer of its own, and leaves nothing behind.</summary>
    sealed class Race : IAsyncDisposable
    {
        // Steps that decide something. What is only read in between is read right after the step before, so it is as old as it can be.
        static readonly string[] DecidingSteps =
        [
            "begin", "count", "install on", "remove from", nameof(IUploads.PinAsync), nameof(IUploads.CommitAsync),
            nameof(IUploads.ReleaseIntentAsync), nameof(ICollection.CondemnAsync), nameof(ICollection.BeginDeletionAsync),
            nameof(ICollection.FinishDeletionAsync), nameof(INamespace.DeleteFileAsync),
            nameof(INamespace.CopyFileAsync), nameof(IUploads.PutPartAsync),
        ];

        readonly FileRig rig = new();
        int rounds;

        public string Bug { get; init; } = "";

        public async Task<Func<Task>> AddAsync(StepScheduler scheduler, Start start, params string[] actors)
        {
            rig.Nodes.Away.Clear();
            var customer = (await rig.Store.CreateCustomerAsync($"customer {++rounds}", Quota.None)).Id;
            var (first, second) = (FilePath.Parse("/first"), FilePath.Parse("/second"));
            if (start != Start.Nothing) await rig.Files.CreateFileAsync(customer, first, new MemoryStream(Shared));
            if (start >= Start.Deleted) await rig.Store.DeleteFileAsync(customer, first);
            if (start == Start.Condemned)
            {
                foreach (var idle in await rig.Store.ListIdleAsync(TimeSpan.Zero, null, 10))
                    await rig.Store.CondemnAsync(idle, TimeSpan.Zero);
            }

            foreach (var actor in actors)
            {
                scheduler.Add(actor, gate => actor switch
                {
                    "collect" => CollectAsync(Deciding(gate)),
                    "delete" => DeleteAsync(Deciding(gate), customer, first),
                    "copy" => CopyAsync(Deciding(gate), customer, first, second),
                    "parts" => PutPartsAsync(Deciding(gate), customer, FilePath.Parse("/parts")),
                    "abort" => AbortAsync(Deciding(gate), customer),
                    "lease ends" => Advance(),
                    _ => UploadAsync(Deciding(gate), customer, actor == "upload" ? second : FilePath.Parse("/third")),
                });
            }

            return () => CheckAsync(customer);
        }

        public ValueTask DisposeAsync() => rig.DisposeAsync();

        static Func<string, Task> Deciding(Func<string, Task> gate) => step =>
            DecidingSteps.Any(deciding => step.StartsWith(deciding, StringComparison.Ordinal)) ? gate(step) : Task.CompletedTask;

        async Task UploadAsync(Func<string, Task> pass, CustomerId customer, FilePath path)
        {
            var store = Intercepted<IMetadataStore>.Create(rig.Store, pass, Planted());
            var nodes = new DiskNodes(rig.Disk) { Before = pass };
            // A clock of its own that stands still: an upload that is paused does not renew its lease.
            var options = rig.Options with { TimeProvider = new SimulatedClock() };
            try
            {
                await new FileService(store, nodes, options).CreateFileAsync(customer, path, new MemoryStream(Shared));
            }
            catch (IntentLostException)
            {
                Assert.Null(await rig.Store.StatAsync(customer, path));
            }
        }

        async Task CopyAsync(Func<string, Task> pass, CustomerId customer, FilePath from, FilePath to)
        {
            var store = Intercepted<IMetadataStore>.Create(rig.Store, pass, Planted(pass));
            try
            {
                await new FileService(store, rig.Nodes, rig.Options).CopyFileAsync(customer, from, to);
            }
            catch (PathNotFoundException)
            {
                Assert.Null(await rig.Store.StatAsync(customer, to));
            }
        }

        async Task PutPartsAsync(Func<string, Task> pass, CustomerId customer, FilePath path)
        {
            var store = Intercepted<IMetadataStore>.Create(rig.Store, pass, Planted());
            var nodes = new DiskNodes(rig.Disk) { Before = pass };
            var files = new FileService(store, nodes, rig.Options with { TimeProvider = new SimulatedClock() });
            var intent = await files.BeginPartsAsync(customer, path);
            try
            {
                var part = await files.PutPartAsync(intent.Token, 1, new MemoryStream(Shared));
                await files.CompletePartsAsync(intent.Token, [(1, part.Tag)], new() { Condition = CommitCondition.Replace });
            }
            catch (IntentLostException)
            {
                // Given up meanwhile.
                Assert.Null(await rig.Store.StatAsync(customer, path));
            }
        }

        async Task AbortAsync(Func<string, Task> pass, CustomerId customer)
        {
            var store = Intercepted<IMetadataStore>.Create(rig.Store, pass);
            foreach (var intent in await rig.Store.ListIntentsAsync(customer, null, false, 10))
                await new FileService(store, rig.Nodes, rig.Options).AbortPartsAsync(intent.Token);
        }

        async Task CollectAsync(Func<string, Task> pass)
        {
            var store = Intercepted<IMetadataStore>.Create(rig.Store, pass, Planted());
            await new Collector(store, new DiskNodes(rig.Disk) { Before = pass }, FileRig.NoPeriods).RunAsync();
        }

        static async Task DeleteOnceAsync(IMetadataStore store, CustomerId customer, FilePath path)
        {
            if (await store.StatAsync(customer, path) is not null) await store.DeleteFileAsync(customer, path);
        }

        async Task DeleteAsync(Func<string, Task> pass, CustomerId customer, FilePath path) =>
            await DeleteOnceAsync(Intercepted<IMetadataStore>.Create(rig.Store, pass), customer, path);

        Task Advance()
        {
            rig.Clock.Advance(2 * FileRig.Lease);
            return Task.CompletedTask;
        }

        async Task CheckAsync(CustomerId customer)
        {
            // A copy that was installed after its upload had been given up is found by a sweep, and by nothing else.
            StoreInvariants.Check(rig.Store, rig.Nodes, customer, mayHaveStrangers: true);
            await new InventorySweep(rig.Store, rig.Nodes).RunAsync(TimeSpan.Zero);
            await rig.DrainAsync();
            StoreInvariants.CheckNothingIsLeft(rig.Store, rig.Nodes);
            foreach (var entry in (await rig.Store.ListAsync(customer, new())).Entries)
            {
                var content = new MemoryStream();
                await (await rig.Files.ReadFileAsync(customer, entry.Path)).CopyToAsync(content);
                Assert.Equal(Shared, content.ToArray());
                await rig.Store.DeleteFileAsync(customer, entry.Path);
            }

            await rig.DrainAsync();
            StoreInvariants.CheckNothingIsLeft(rig.Store, rig.Nodes);
            Assert.Empty(rig.Nodes.Held(new(1)));
        }

        (string, Delegate)[] Planted(Func<string, Task>? pass = null) => Bug switch
        {
            "a copy is written by what its source was" =>
            [
                (nameof(INamespace.CopyFileAsync), (CustomerId customer, FilePath from, FilePath to, FileCopy copy, CancellationToken _) =>
                    CopyLateAsync(pass!, customer, from, to, copy.UploadId)),
            ],
            "blocks of parts are not pinned" => [(nameof(IUploads.PutPartAsync), PutAndUnpinAsync)],
            "pins are not asked for" => [(nameof(ICollection.BeginDeletionAsync), BeginWithoutPinsAsync)],
            "copies go before the row says so" => [(nameof(ICollection.BeginDeletionAsync), RemoveFirstAsync)],
            "the lease is not asked for" => [(nameof(IUploads.CommitAsync), CommitLateAsync)],
            "pinned only at the commit" => [(nameof(IUploads.PinAsync), LookAsync), (nameof(IUploads.CommitAsync), PinAndCommitAsync)],
            "the state of a block is not asked for" => [(nameof(IUploads.PinAsync), PinWhateverStateAsync)],
            _ => [],
        };

        async Task<NamespaceEntry> CopyLateAsync(
            Func<string, Task> pass, CustomerId customer, FilePath from, FilePath to, ulong id)
        {
            var source = await rig.Store.GetFileAsync(customer, from);
            await pass(nameof(INamespace.CopyFileAsync));
            var entry = source.Entry with { Path = to, FileId = id };
            var batch = new WriteBatch();
            batch.Put(MetadataKeys.File(customer, to), Rows.Write(entry));
            var row = new FileRow
            {
                Path = to,
                SizeBytes = entry.SizeBytes,
                CreatedAt = entry.CreatedAt,
                BlockCount = source.BlockCount,
            };
            batch.Put(MetadataKeys.FileRow(customer, id), row.Write());
            batch.Put(MetadataKeys.BlockList(customer, id, 0), BlockListPage.Write([.. source.Blocks]));
            batch.Put(MetadataKeys.Reference(customer, source.Blocks[0].Name, id), []);
            batch.Put(MetadataKeys.Usage(customer, FilePath.Root, 200), Rows.Write(new Usage(entry.SizeBytes, 1, 0)));
            rig.Store.Rows.Write(batch);
            return entry;
        }

        // The rows of its blocks are live, and nothing keeps them.
        async Task<UploadPart> PutAndUnpinAsync(
            IntentToken intent, UploadPart part, IReadOnlyDictionary<BlockName, IReadOnlyCollection<NodeId>> written, int requiredCopies,
            int wantedCopies, TimeSpan lease, IReadOnlyCollection<NodeId>? holders, CancellationToken cancellationToken)
        {
            var stored = await rig.Store.PutPartAsync(
                intent, part, written, requiredCopies, wantedCopies, lease, holders, cancellationToken);
            foreach (var block in stored.Blocks)
            {
                rig.Store.Rows.Delete(MetadataKeys.Pin(intent.Customer, block.Name, intent.Id));
                rig.Store.Rows.Delete(MetadataKeys.IntentPin(intent.Customer, intent.Id, block.Name));
            }

            return stored;
        }

        // Only references are looked at.
        async Task<BlockLocations?> BeginWithoutPinsAsync(
            CollectionCandidate block, TimeSpan condemned, CancellationToken cancellationToken)
        {
            var pins = new List<byte[]>();
            using (var rows = rig.Store.Rows.Scan(KeyRange.Prefix(MetadataKeys.Pins(block.Block.Customer, block.Block.Name))))
                while (rows.MoveNext()) pins.Add(rows.Key.ToArray());
            foreach (var pin in pins) rig.Store.Rows.Delete(pin);
            var result = await rig.Store.BeginDeletionAsync(block, condemned, cancellationToken);
            foreach (var pin in pins) rig.Store.Rows.Put(pin, []);
            return result;
        }

        async Task<BlockLocations?> RemoveFirstAsync(CollectionCandidate block, TimeSpan condemned, CancellationToken cancellationToken)
        {
            foreach (var node in rig.Nodes.Nodes) await rig.Nodes.RemoveAsync(node, block.Block, cancellationToken);
            return await rig.Store.BeginDeletionAsync(block, condemned, cancellationToken);
        }

        // As if the lease had no end and the pins no holder.
        async Task<NamespaceEntry> CommitLateAsync(IntentToken intent, FileCommit file, CancellationToken cancellationToken)
        {
            try
            {
                return await rig.Store.CommitAsync(intent, file, cancellationToken);
            }
            catch (IntentLostException)
            {
                var again = await rig.Store.OpenIntentAsync(
                    intent.Customer, intent.Id, file.Path, "late", FileRig.Lease, cancellationToken);
                foreach (var block in file.Blocks) PutPin(intent, block);
                return await rig.Store.CommitAsync(again.Token, file, cancellationToken);
            }
        }

        Task<IReadOnlyList<PinnedBlock>> LookAsync(
            IntentToken intent, IReadOnlyList<WantedBlock> blocks, CancellationToken cancellationToken)
        {
            var found = new List<PinnedBlock>();
            foreach (var block in blocks)
            {
                using var rows = rig.Store.Rows.Scan(KeyRange.Prefix(MetadataKeys.BlocksOf(intent.Customer, block.Hash)));
                var row = rows.MoveNext() ? Rows.ReadBlock(rows.Key, rows.Value) : null;
                found.Add(row is { Locations.State: not BlockState.Deleting } usable
                    ? new(usable.Locations.Name, usable.Locations)
                    : new(new(block.Hash, intent.Id), null));
            }

            return Task.FromResult<IReadOnlyList<PinnedBlock>>(found);
        }

        Task<NamespaceEntry> PinAndCommitAsync(IntentToken intent, FileCommit file, CancellationToken cancellationToken)
        {
            foreach (var block in file.Blocks) PutPin(intent, block);
            return rig.Store.CommitAsync(intent, file, cancellationToken);
        }

        void PutPin(IntentToken intent, FileBlock block)
        {
            rig.Store.Rows.Put(MetadataKeys.Pin(intent.Customer, block.Name, intent.Id), []);
            rig.Store.Rows.Put(
                MetadataKeys.IntentPin(intent.Customer, intent.Id, block.Name), new Pin(block.Name, block.LengthBytes, false).Write());
        }

        // A block that is being deleted is taken for a hit.
        async Task<IReadOnlyList<PinnedBlock>> PinWhateverStateAsync(
            IntentToken intent, IReadOnlyList<WantedBlock> blocks, CancellationToken cancellationToken)
        {
            using var rows = rig.Store.Rows.Scan(KeyRange.Prefix(MetadataKeys.BlocksOf(intent.Customer, blocks[0].Hash)));
            var row = rows.MoveNext() ? Rows.ReadBlock(rows.Key, rows.Value) : null;
            if (row is not { Locations.State: BlockState.Deleting }) return await rig.Store.PinAsync(intent, blocks, cancellationToken);
            PutPin(intent, new(row.Id.Name, blocks[0].LengthBytes));
            return [new(row.Id.Name, row.Locations)];
        }
    }
}
