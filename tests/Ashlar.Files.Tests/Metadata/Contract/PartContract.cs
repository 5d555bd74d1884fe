namespace Ashlar.Files.Tests;

/// <summary>Uploads that come in parts.</summary>
public abstract class PartContract : MetadataContract
{
    static readonly FileProperties Properties = FileProperties.Of([new("type", "text/plain")]);

    [Fact]
    public async Task Parts_are_listed_replaced_and_kept_until_the_upload_ends()
    {
        var intent = await BeginPartsAsync("/f");
        await PutPartAsync(intent, 2, "two", "more");
        var first = await PutPartAsync(intent, 1, "one");
        Assert.Equal(Clock.GetUtcNow(), first.CreatedAt);
        await PutPartAsync(intent, 2, "other");
        await PutPartAsync(intent, UploadPart.MaxNumber, "last");
        await ReopenAsync();
        var parts = await Store.ListPartsAsync(Customer, intent.Token.Id, 0, 10);
        Assert.Equal([1, 2, UploadPart.MaxNumber], parts.Select(part => part.Number));
        Assert.Equal((5, "tag 2", Block("other").Hash), (parts[1].SizeBytes, parts[1].Tag, parts[1].Blocks[0].Name.Hash));
        Assert.Equal([1], (await Store.ListPartsAsync(Customer, intent.Token.Id, 0, 1)).Select(part => part.Number));
        Assert.Equal([2], (await Store.ListPartsAsync(Customer, intent.Token.Id, 1, 1)).Select(part => part.Number));
        Assert.Equal(intent, await Store.FindIntentAsync(Customer, intent.Token.Id));
        Assert.Equal((true, Properties, true), (intent.IsInParts, intent.Properties, intent.CreateParents));

        // Their blocks are live without a file, and are not condemned.
        foreach (var block in parts.SelectMany(part => part.Blocks)) Assert.Equal(BlockState.Live, (await FindAsync(block.Name))!.State);
        // Those of the part that was replaced are given back.
        var replaced = (await Store.ListIdleAsync(TimeSpan.Zero, null, 10)).Select(idle => idle.Block.Name.Hash);
        Assert.Equivalent(new[] { Block("two").Hash, Block("more").Hash }, replaced, strict: true);
        await Store.CommitAsync(intent.Token, FileOf(parts));
        Assert.Equal(Block("one").Hash, (await Store.GetFileAsync(Customer, Path("/f"))).Blocks[0].Name.Hash);
        Assert.Empty(await Store.ListPartsAsync(Customer, intent.Token.Id, 0, 10));
        Assert.Null(await Store.FindIntentAsync(Customer, intent.Token.Id));
        Assert.Equal("/f", (await Store.FindCommittedAsync(Customer, intent.Token.Id))!.Path.ToString());
        Assert.Empty(await Store.ListIntentsAsync(null, null, false, 10));
    }

    [Fact]
    public async Task A_part_that_is_replaced_gives_back_what_no_other_has()
    {
        await Store.SetQuotaAsync(Customer, new(25, 100));
        var intent = await BeginPartsAsync("/f");
        for (var round = 0; round < 10; round++) await PutPartAsync(intent, 1, $"content {round:x2}");
        Assert.Equal(9, (await Store.ListIdleAsync(TimeSpan.Zero, null, 100)).Count);

        // Another part of one content keeps it, whether it is there or on its way.
        await PutPartAsync(intent, 2, "content 09");
        await PutPartAsync(intent, 2, "other");
        var pins = await Store.PinAsync(intent.Token, [Block("content 09")]);
        await PutPartAsync(intent, 1, "more");
        await PutPartAsync(intent, 3, pins, "content 09");
        var parts = await Store.ListPartsAsync(Customer, intent.Token.Id, 0, 10);
        Assert.Equal([4, 5, 10], parts.Select(part => part.SizeBytes));
        await Store.CommitAsync(intent.Token, FileOf(parts));
        Assert.Empty(await Store.ListIntentsAsync(null, null, false, 10));
        Assert.Equal(19, (await Store.GetUsageAsync(Customer)).Bytes);
    }

    [Fact]
    public async Task What_parts_wrote_is_left_to_the_collector_when_the_upload_is_given_up()
    {
        var intent = await BeginPartsAsync("/f");
        var part = await PutPartAsync(intent, 1, "one");
        await Store.PinAsync(intent.Token, [Block("not put")]);
        Assert.True(await Store.ReleaseIntentAsync(intent.Token, Nodes));
        Assert.Empty(await Store.ListPartsAsync(Customer, intent.Token.Id, 0, 10));
        Assert.Equal(part.Blocks[0].Name, Assert.Single(await Store.ListIdleAsync(TimeSpan.Zero, null, 10)).Block.Name);
        Assert.Equal(Block("not put").Hash, Assert.Single(await Store.ListDeletingAsync(null, 10)).Name.Hash);
        await Assert.ThrowsAsync<IntentLostException>(() => PutPartAsync(intent, 1, "one"));
    }

    [Fact]
    public async Task A_part_renews_the_lease_and_never_shortens_it()
    {
        var intent = await BeginPartsAsync("/f", Day);
        await PutPartAsync(intent, 1, "one");
        Assert.Equal(intent.LeaseEndsAt, (await Store.FindIntentAsync(Customer, intent.Token.Id))!.LeaseEndsAt);
        Clock.Advance(Day - Lease + TimeSpan.FromSeconds(1));
        await PutPartAsync(intent, 2, "two");
        Assert.Equal(Clock.GetUtcNow() + Lease, (await Store.FindIntentAsync(Customer, intent.Token.Id))!.LeaseEndsAt);
        Clock.Advance(Lease);
        await Assert.ThrowsAsync<IntentLostException>(() => PutPartAsync(intent, 3, "three"));
    }

    [Fact]
    public async Task Of_two_uploads_of_one_content_in_parts_the_later_part_refers_to_the_block_of_the_earlier()
    {
        var (first, second) = (await BeginPartsAsync("/f"), await BeginPartsAsync("/g"));
        var pins = await Store.PinAsync(first.Token, [Block("same")]);
        var winner = (await PutPartAsync(second, 1, "same")).Blocks[0].Name;
        var part = await PutPartAsync(first, 1, pins, "same");
        Assert.Equal(winner, part.Blocks[0].Name);
        var surplus = Assert.Single(await Store.ListDeletingAsync(null, 10));
        Assert.Equal((pins[0].Name, Nodes.Length), (surplus.Name, surplus.Nodes.Count));
        // The pin went along: the block stays while one of the two is open.
        Assert.True(await Store.ReleaseIntentAsync(second.Token, Nodes));
        Assert.False(await Store.CondemnAsync(Assert.Single(await Store.ListIdleAsync(TimeSpan.Zero, null, 10)), TimeSpan.Zero));
        await Store.CommitAsync(first.Token, FileOf([part]));
        Assert.Equal(winner, (await Store.GetFileAsync(Customer, Path("/f"))).Blocks[0].Name);
    }

    [Fact]
    public async Task One_content_that_parts_bring_at_the_same_time_has_one_name()
    {
        var intent = await BeginPartsAsync("/f");
        var pins = await Task.WhenAll(Enumerable.Range(1, 8).Select(_ => Task.Run(
            () => Store.PinAsync(intent.Token, [Block("same"), Block("more")]))));
        Assert.Single(pins.Select(pinned => pinned[0].Name).Distinct());
        var parts = await Task.WhenAll(Enumerable.Range(1, 8).Select(number => Task.Run(() => PutPartAsync(intent, number, "same"))));
        await Store.CommitAsync(intent.Token, FileOf(parts));
        Assert.Equal(1, await Store.CountReferencesAsync(Customer, pins[0][0].Name));
        Assert.Equal(8, (await Store.GetFileAsync(Customer, Path("/f"))).BlockCount);
    }

    [Fact]
    public async Task A_part_is_what_it_says()
    {
        var intent = await BeginPartsAsync("/f");
        var pins = await Store.PinAsync(intent.Token, [Block("one")]);
        var part = PartOf(1, pins, "one");
        foreach (var wrong in (UploadPart[])
            [part with { Number = 0 }, part with { Number = 10_001 }, part with { SizeBytes = 4 }, part with { Tag = "\u00e9" }])
            await Assert.ThrowsAsync<ArgumentException>(() => PutAsync(intent.Token, wrong));
        await Assert.ThrowsAsync<TooFewCopiesException>(() => PutAsync(intent.Token, part));
        await Assert.ThrowsAsync<BlockNotPinnedException>(
            () => PutAsync(intent.Token, part with { SizeBytes = 3, Blocks = [new(new(Block("two").Hash, 1), 3)] }));
        var whole = await BeginAsync("/g");
        await Store.PinAsync(whole.Token, [Block("two")]);
        await Assert.ThrowsAsync<ArgumentException>(() => PutAsync(whole.Token, part with { SizeBytes = 0, Blocks = [] }));
        await Assert.ThrowsAsync<IntentLostException>(() => PutAsync(intent.Token with { Fence = 0 }, part));
        await PutAsync(intent.Token, part with { SizeBytes = 0, Blocks = [] });
        // An upload is in parts or not.
        await Assert.ThrowsAsync<UploadIdInUseException>(
            () => Store.OpenIntentAsync(Customer, intent.Token.Id, intent.Path, "a test", Lease));

        Task PutAsync(IntentToken token, UploadPart put) => Store.PutPartAsync(
            token, put, new Dictionary<BlockName, IReadOnlyCollection<NodeId>>(), requiredCopies: 2, wantedCopies: 3, Lease);
    }

    [Fact]
    public async Task A_part_or_a_file_of_many_blocks_is_recorded_while_others_go_on()
    {
        const int Count = 1500;
        string[] contents = [.. Enumerable.Range(0, Count).Select(number => $"{number:x8}")];
        WantedBlock[] blocks = [.. contents.Select(Block)];
        var intent = await BeginPartsAsync("/f");
        await PutPartAsync(intent, 1, contents);
        var parts = await Store.ListPartsAsync(Customer, intent.Token.Id, 0, 10);
        await Store.CommitAsync(intent.Token, FileOf(parts));

        var second = await BeginAsync("/g");
        string[] others = [.. contents.Select(content => content + "g")];
        var pins = await Store.PinAsync(second.Token, [.. others.Select(Block)]);
        var file = Large("/g", pins, [.. others.Select(Block)], Nodes[..3]);
        var entry = await Store.CommitAsync(second.Token, file);
        Assert.Equal(entry, await Store.CommitAsync(second.Token, file));
        Assert.Equal((Count, Count * 9L), ((await Store.GetFileAsync(Customer, Path("/g"))).BlockCount, entry.SizeBytes));
        Assert.Empty(await Store.ListIntentsAsync(null, null, false, 10));
    }

    [Fact]
    public async Task Parts_count_as_rows_do()
    {
        await Store.SetQuotaAsync(Customer, new(long.MaxValue, 0));
        Assert.Equal(10_000, new Quota(0, 0).Parts);
        Assert.Equal(10_005, new Quota(0, 5).Parts);
        Assert.Equal(10_000_000, Quota.None.Parts);
        var (first, second) = (await BeginPartsAsync("/f"), await BeginPartsAsync("/g"));
        const int most = 10_000, some = 9_990;
        var pins = await Store.PinAsync(first.Token, [Block("x")]);
        await Parallel.ForAsync(1, some + 1, async (number, _) => await PutPartAsync(first, number, pins, "x"));
        for (var number = 1; number <= most - some; number++) await PutPartAsync(second, number, "y");
        await ReopenAsync();
        await RefusedAsync(11);
        await PutPartAsync(second, 10, "z"); // In the place of another.
        Assert.True(await Store.ReleaseIntentAsync(first.Token, Nodes));
        await PutPartAsync(second, 11, "y");

        async Task RefusedAsync(int number) => Assert.Equal(
            "parts of open uploads", (await Assert.ThrowsAsync<QuotaExceededException>(() => PutPartAsync(second, number, "y"))).What);
    }

    [Fact]
    public async Task Open_uploads_are_listed_by_their_paths()
    {
        var intents = new List<UploadIntent>();
        await Store.CreateDirectoryAsync(Customer, Path("/b"));
        foreach (var path in (string[])["/b/a", "/b/a/x", "/b/a-", "/b/a", "/c/a", "/b/\uffee", "/b/\U0001F600"])
            intents.Add(await BeginPartsAsync(path));
        await BeginAsync("/b/whole");
        Assert.Equal((int[])[0, 3, 2, 1, 5, 6, 4], await ListAsync(""));
        Assert.Equal((int[])[0, 3, 2, 1, 5, 6], await ListAsync("b/"));
        Assert.Equal((int[])[0, 3, 2, 1], await ListAsync("b/a"));
        Assert.Equal((int[])[2], await ListAsync("b/a-"));
        Assert.Equal((int[])[3, 2, 1], await ListAsync("b/a", PartUploadQuery.Behind("b/a"u8, intents[0].Token.Id)));
        Assert.Equal((int[])[2, 1], await ListAsync("b/a", PartUploadQuery.BehindPath("b/a"u8)));
        Assert.Equal((int[])[4], await ListAsync("", PartUploadQuery.BehindAll("b/"u8)));
        Assert.Empty(await ListAsync("b/", PartUploadQuery.BehindPath("c/"u8)));
        await ReopenAsync();
        await Store.ReleaseIntentAsync(intents[2].Token, Nodes);
        var part = await PutPartAsync(intents[1], 1, "one");
        await Store.CommitAsync(intents[1].Token, FileOf([part]) with { Path = Path("/b/a/x"), CreateParents = true });
        Assert.Equal((int[])[0, 3, 5, 6], await ListAsync("b/"));
        await Assert.ThrowsAsync<CustomerNotFoundException>(
            () => Store.ListPartUploadsAsync(new(99), new() { Limit = 1 }));

        async Task<int[]> ListAsync(string prefix, byte[]? after = null)
        {
            var found = new List<UploadIntent>();
            var query = new PartUploadQuery { Prefix = System.Text.Encoding.UTF8.GetBytes(prefix), After = after, Limit = 2 };
            while (await Store.ListPartUploadsAsync(Customer, query) is { Count: > 0 } page)
            {
                found.AddRange(page);
                query = query with { After = PartUploadQuery.Behind(page[^1].Path.Bytes.Span, page[^1].Token.Id) };
            }

            return [.. found.Select(intent => intents.FindIndex(one => one.Token.Id == intent.Token.Id))];
        }
    }

    Task<UploadIntent> BeginPartsAsync(string path, TimeSpan? lease = null) => Store.OpenIntentAsync(Customer, new IntentRequest
    {
        Id = NextId(),
        Path = Path(path),
        Owner = "a test",
        Lease = lease ?? Lease,
        IsInParts = true,
        Properties = Properties,
        CreateParents = true,
    });

    async Task<UploadPart> PutPartAsync(UploadIntent intent, int number, params string[] contents) =>
        await PutPartAsync(intent, number, await Store.PinAsync(intent.Token, [.. contents.Select(Block)]), contents);

    Task<UploadPart> PutPartAsync(UploadIntent intent, int number, IReadOnlyList<PinnedBlock> pins, params string[] contents)
    {
        var written = pins.Where(pin => pin.Known is null).DistinctBy(pin => pin.Name)
            .ToDictionary(pin => pin.Name, _ => (IReadOnlyCollection<NodeId>)Nodes[..3]);
        return Store.PutPartAsync(intent.Token, PartOf(number, pins, contents), written, requiredCopies: 2, wantedCopies: 3, Lease, Nodes);
    }

    static UploadPart PartOf(int number, IReadOnlyList<PinnedBlock> pins, params string[] contents) => new()
    {
        Number = number,
        SizeBytes = contents.Sum(content => content.Length),
        Tag = $"tag {number}",
        CreatedAt = default,
        Properties = Properties,
        Blocks = [.. pins.Zip(contents, (pin, content) => new FileBlock(pin.Name, content.Length))],
    };

    static FileCommit FileOf(IEnumerable<UploadPart> parts) => new()
    {
        Path = Path("/f"),
        Tag = "tag",
        Blocks = [.. parts.SelectMany(part => part.Blocks)],
        RequiredCopies = 2,
        WantedCopies = 3,
    };
}
