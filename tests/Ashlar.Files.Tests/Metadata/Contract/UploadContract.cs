namespace Ashlar.Files.Tests;

public abstract class UploadContract : MetadataContract
{
    [Fact]
    public async Task A_file_of_blocks_appears_with_the_commit_and_not_before()
    {
        var intent = await BeginAsync("/f");
        WantedBlock[] blocks = [Block("one"), Block("two"), Block("one")];
        var pins = await Store.PinAsync(intent.Token, blocks);
        Assert.All(pins, pin => Assert.Null(pin.Known));
        Assert.Equal(pins[0].Name, pins[2].Name);
        Assert.NotEqual(pins[0].Name.Generation, pins[1].Name.Generation);
        Assert.Null(await Store.StatAsync(Customer, Path("/f")));
        Assert.Null(await FindAsync(pins[0].Name));

        var entry = await Store.CommitAsync(intent.Token, Large("/f", pins, blocks, Nodes[..3]));
        await ReopenAsync();
        var file = await Store.GetFileAsync(Customer, Path("/f"));
        Assert.Equal((entry, intent.Token.Id, 9), (file.Entry, entry.FileId, entry.SizeBytes));
        Assert.Equal(pins.Select(pin => pin.Name), file.Blocks.Select(block => block.Name));
        var block = (await FindAsync(pins[0].Name))!;
        Assert.Equal((BlockState.Live, 3, 3), (block.State, block.LengthBytes, block.WantedCopies));
        Assert.Equal(Nodes[..3], block.Nodes);
        Assert.Equal(1, await Store.CountReferencesAsync(Customer, pins[0].Name));
        Assert.Empty(await Store.ListIntentsAsync(null, null, false, 10));
        Assert.Empty(await Store.ListUnderReplicatedAsync(null, 10));
    }

    [Fact]
    public async Task A_block_is_pinned_until_its_upload_has_ended()
    {
        var name = (await PutAsync("/f", "same"))[0].Name;
        Assert.False(await Store.IsPinnedAsync(Customer, name));
        var (first, second) = (await BeginAsync("/g"), await BeginAsync("/h"));
        WantedBlock[] blocks = [Block("same")];
        var pins = await Store.PinAsync(first.Token, blocks);
        await Store.PinAsync(second.Token, blocks);
        await ReopenAsync();
        Assert.True(await Store.IsPinnedAsync(Customer, name));
        Assert.False(await Store.IsPinnedAsync(new CustomerId(Customer.Value + 1), name));
        await Store.CommitAsync(first.Token, Large("/g", pins, blocks, Nodes[..2]));
        Assert.True(await Store.IsPinnedAsync(Customer, name));
        while (!await Store.ReleaseIntentAsync(second.Token, Nodes)) await Task.Yield();
        Assert.False(await Store.IsPinnedAsync(Customer, name));
    }

    [Fact]
    public async Task A_commit_that_is_called_again_gives_the_same_answer()
    {
        var intent = await BeginAsync("/f");
        WantedBlock[] blocks = [Block("one")];
        var file = Large("/f", await Store.PinAsync(intent.Token, blocks), blocks, Nodes[..2]);
        var entry = await Store.CommitAsync(intent.Token, file);
        await ReopenAsync();
        Assert.Equal(entry, await Store.CommitAsync(intent.Token, file));
        var renamed = await Store.RenameFileAsync(Customer, Path("/f"), Path("/g"));
        Assert.Equal(renamed, await Store.CommitAsync(intent.Token, file));
        await Store.DeleteFileAsync(Customer, Path("/g"));
        await Assert.ThrowsAsync<IntentLostException>(() => Store.CommitAsync(intent.Token, file));
        Assert.Equal(default, await Store.GetUsageAsync(Customer));

        var small = await Store.CommitInlineAsync(Customer, 77, Small("/s"));
        Assert.Equal(small, await Store.CommitInlineAsync(Customer, 77, Small("/s")));
        await Assert.ThrowsAsync<UploadIdInUseException>(() => Store.CommitInlineAsync(Customer, 77, Small("/t")));
        await Assert.ThrowsAsync<UploadIdInUseException>(
            () => Store.OpenIntentAsync(Customer, 77, Path("/t"), "a test", Lease));
    }

    [Fact]
    public async Task A_content_that_the_store_has_is_not_uploaded_again()
    {
        var first = (await PutAsync("/f", "same"))[0].Name;
        var intent = await BeginAsync("/g");
        WantedBlock[] blocks = [Block("same"), Block("more")];
        var pins = await Store.PinAsync(intent.Token, blocks);
        Assert.Equal((first, Nodes.Length - 1), (pins[0].Name, pins[0].Known!.Nodes.Count));
        Assert.Null(pins[1].Known);
        await Store.CommitAsync(intent.Token, Large("/g", pins, blocks, Nodes[..2]));
        Assert.Equal(2, await Store.CountReferencesAsync(Customer, first));
        await Store.DeleteFileAsync(Customer, Path("/f"));
        Assert.Equal(1, await Store.CountReferencesAsync(Customer, first));
        await Assert.ThrowsAsync<ArgumentException>(async () =>
            await Store.PinAsync((await BeginAsync("/h")).Token, [Block("same") with { LengthBytes = 5 }]));
    }

    [Fact]
    public async Task A_pin_is_the_same_for_as_long_as_the_intent_is_open()
    {
        var intent = await BeginAsync("/g");
        var pin = (await Store.PinAsync(intent.Token, [Block("same")]))[0];
        // Somebody else is faster. What this upload writes under its own name is surplus in the end.
        var winner = (await PutAsync("/f", "same"))[0].Name;
        Assert.Equal(pin, (await Store.PinAsync(intent.Token, [Block("same")]))[0]);
        await Store.CommitAsync(intent.Token, Large("/g", [pin], [Block("same")], Nodes[1..3]) with { Holders = Nodes[..3] });
        Assert.Equal(winner, (await Store.GetFileAsync(Customer, Path("/g"))).Blocks[0].Name);
        Assert.Equal(2, await Store.CountReferencesAsync(Customer, winner));
        var surplus = Assert.Single(await Store.ListDeletingAsync(null, 10));
        Assert.Equal((pin.Name, BlockState.Deleting), (surplus.Name, surplus.State));
        // A copy may still be on its way to the third.
        Assert.Equal(Nodes[..3], surplus.Nodes);
    }

    [Fact]
    public async Task Too_few_copies_are_refused_and_fewer_than_wanted_are_listed_for_repair_with_the_commit()
    {
        var intent = await BeginAsync("/f");
        WantedBlock[] blocks = [Block("one")];
        var pins = await Store.PinAsync(intent.Token, blocks);
        var refused = await Assert.ThrowsAsync<TooFewCopiesException>(
            () => Store.CommitAsync(intent.Token, Large("/f", pins, blocks, Nodes[0])));
        Assert.Equal(pins[0].Name, refused.Block);
        Assert.Null(await Store.StatAsync(Customer, Path("/f")));
        await Store.CommitAsync(intent.Token, Large("/f", pins, blocks, Nodes[..2]));
        Assert.Equal(pins[0].Name, Assert.Single(await Store.ListUnderReplicatedAsync(null, 10)).Name);

        // A later upload of the content may add the copy that is missing.
        var second = await BeginAsync("/g");
        var known = await Store.PinAsync(second.Token, blocks);
        var file = Large("/g", known, blocks) with
        {
            Written = new Dictionary<BlockName, IReadOnlyCollection<NodeId>> { [known[0].Name] = [Nodes[2], Nodes[0]] },
        };
        await Store.CommitAsync(second.Token, file);
        Assert.Equal(Nodes[..3], (await FindAsync(pins[0].Name))!.Nodes);
        Assert.Empty(await Store.ListUnderReplicatedAsync(null, 10));
    }

    [Fact]
    public async Task Of_a_known_block_that_an_upload_has_looked_at_no_other_copies_count()
    {
        await PutAsync("/f", "one");
        WantedBlock[] blocks = [Block("one")];
        var intent = await BeginAsync("/g");
        var known = await Store.PinAsync(intent.Token, blocks);
        FileCommit Seen(params NodeId[] nodes) => Large("/g", known, blocks) with
        {
            Written = new Dictionary<BlockName, IReadOnlyCollection<NodeId>> { [known[0].Name] = nodes },
        };
        var refused = await Assert.ThrowsAsync<TooFewCopiesException>(() => Store.CommitAsync(intent.Token, Seen(Nodes[0])));
        Assert.Equal(known[0].Name, refused.Block);
        await Store.CommitAsync(intent.Token, Seen(Nodes[0], Nodes[3]));
        Assert.Equal(Nodes[..4], (await FindAsync(known[0].Name))!.Nodes);
    }

    [Fact]
    public async Task A_commit_must_have_pinned_its_blocks()
    {
        var known = (await PutAsync("/f", "known"))[0];
        var intent = await BeginAsync("/g");
        var file = Large("/g", [known], [Block("known")]);
        await Assert.ThrowsAsync<BlockNotPinnedException>(() => Store.CommitAsync(intent.Token, file));
        var made = new PinnedBlock(new(Block("made").Hash, intent.Token.Id), null);
        await Assert.ThrowsAsync<BlockNotPinnedException>(
            () => Store.CommitAsync(intent.Token, Large("/g", [made], [Block("made")], Nodes[..3])));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.CommitAsync(intent.Token, file with { Blocks = [] }));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.CommitAsync(intent.Token, file with { Inline = new byte[1] }));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.CommitAsync(intent.Token, file with { Tag = new string('x', 129) }));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.CommitAsync(intent.Token, file with { Tag = "\u00e9" }));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.CommitAsync(intent.Token, file with { RequiredCopies = 0 }));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.CommitInlineAsync(Customer, 99, file));
        await Assert.ThrowsAsync<ArgumentException>(
            () => Store.CommitInlineAsync(Customer, 99, Small("/s", new string('x', FileCommit.MaxInlineBytes + 1))));
    }

    [Fact]
    public async Task An_upload_whose_lease_has_ended_or_whose_fence_is_old_gets_nothing_done()
    {
        var intent = await BeginAsync("/f");
        WantedBlock[] blocks = [Block("one")];
        var pins = await Store.PinAsync(intent.Token, blocks);
        var file = Large("/f", pins, blocks, Nodes[..3]);
        Clock.Advance(Lease / 2);
        Assert.Equal(Clock.GetUtcNow() + Lease, (await Store.RenewIntentAsync(intent.Token, Lease)).LeaseEndsAt);
        Clock.Advance(Lease);
        await RefusedAsync(intent.Token);

        // Opened again, by a retry or by somebody else, it goes on with what was pinned, and the first holder is out.
        var again = await Store.OpenIntentAsync(Customer, intent.Token.Id, Path("/f"), "another", Lease);
        Assert.True(again.Token.Fence > intent.Token.Fence);
        Assert.Equal((intent.OpenedAt, "another"), (again.OpenedAt, again.Owner));
        await RefusedAsync(intent.Token);
        await Assert.ThrowsAsync<IntentLostException>(() => Store.ReleaseIntentAsync(intent.Token, Nodes));
        Assert.Equal(pins, await Store.PinAsync(again.Token, blocks));
        await Assert.ThrowsAsync<UploadIdInUseException>(
            () => Store.OpenIntentAsync(Customer, intent.Token.Id, Path("/g"), "another", Lease));
        await Store.CommitAsync(again.Token, file);
        await RefusedAsync(again.Token, commits: false);

        async Task RefusedAsync(IntentToken token, bool commits = true)
        {
            await Assert.ThrowsAsync<IntentLostException>(() => Store.RenewIntentAsync(token, Lease));
            await Assert.ThrowsAsync<IntentLostException>(() => Store.PinAsync(token, blocks));
            if (!commits) return;
            await Assert.ThrowsAsync<IntentLostException>(() => Store.CommitAsync(token, file));
            Assert.Null(await Store.StatAsync(Customer, Path("/f")));
        }
    }

    [Fact]
    public async Task What_an_upload_wrote_in_vain_is_removed_wherever_it_may_be()
    {
        var known = (await PutAsync("/f", "known"))[0].Name;
        await Store.DeleteFileAsync(Customer, Path("/f"));
        foreach (var idle in await Store.ListIdleAsync(TimeSpan.Zero, null, 10)) await Store.CondemnAsync(idle, Day);
        Assert.NotEmpty(await Store.ListIdleAsync(TimeSpan.Zero, null, 10));

        var intent = await BeginAsync("/g");
        var pins = await Store.PinAsync(intent.Token, [Block("known"), Block("new")]);
        foreach (var idle in await Store.ListIdleAsync(TimeSpan.Zero, null, 10))
            Assert.False(await Store.CondemnAsync(idle, TimeSpan.Zero));
        Assert.Empty(await Store.ListIdleAsync(TimeSpan.Zero, null, 10));
        Assert.True(await Store.ReleaseIntentAsync(intent.Token, Nodes));
        Assert.True(await Store.ReleaseIntentAsync(intent.Token, Nodes));
        Assert.Empty(await Store.ListIntentsAsync(null, null, false, 10));
        Assert.Equal(known, Assert.Single(await Store.ListIdleAsync(TimeSpan.Zero, null, 10)).Block.Name);
        var surplus = Assert.Single(await Store.ListDeletingAsync(null, 10));
        Assert.Equal(pins[1].Name, surplus.Name);
        Assert.Equal(Nodes, surplus.Nodes);
        await Assert.ThrowsAsync<IntentLostException>(() => Store.PinAsync(intent.Token, [Block("new")]));

        // A number that comes again is another upload, with another fence, and no name of a block comes twice.
        var again = await Store.OpenIntentAsync(Customer, intent.Token.Id, Path("/g"), "again", Lease);
        Assert.True(again.Token.Fence > intent.Token.Fence);
        var more = await Store.PinAsync(again.Token, [Block("new")]);
        Assert.Null(more[0].Known);
        Assert.NotEqual(pins[1].Name, more[0].Name);
        await Store.CommitAsync(again.Token, Large("/g", more, [Block("new")], Nodes[..3]));
        Assert.Equal(surplus.Name, Assert.Single(await Store.ListDeletingAsync(null, 10)).Name);
    }

    [Fact]
    public async Task Uploads_that_have_not_ended_are_listed_and_those_that_are_over_alone()
    {
        var first = await BeginAsync("/f", Hour);
        var second = await BeginAsync("/g", Lease);
        Assert.Equal([first, second], await Store.ListIntentsAsync(null, null, false, 10));
        Assert.Equal([second], await Store.ListIntentsAsync(null, first.Token, false, 10));
        var other = (await Store.CreateCustomerAsync("second", Quota.None)).Id;
        var third = await BeginAsync("/h", Hour, other);
        Assert.Equal([third], await Store.ListIntentsAsync(other, first.Token, false, 10));
        Assert.Empty(await Store.ListIntentsAsync(Customer, third.Token, false, 10));
        Assert.True(await Store.ReleaseIntentAsync(third.Token, Nodes));
        Assert.Empty(await Store.ListIntentsAsync(null, null, true, 10));
        Clock.Advance(Lease);
        Assert.Equal([second], await Store.ListIntentsAsync(null, null, true, 10));
        // Anybody may release what is over.
        Assert.True(await Store.ReleaseIntentAsync(second.Token with { Fence = 0 }, Nodes));
        await Assert.ThrowsAsync<IntentLostException>(() => Store.ReleaseIntentAsync(first.Token with { Fence = 0 }, Nodes));
        await ReopenAsync();
        Assert.Equal([first], await Store.ListIntentsAsync(null, null, false, 10));
    }

    [Fact]
    public async Task Pins_that_became_no_reference_are_taken_back_after_the_commit()
    {
        var intent = await BeginAsync("/f");
        var unused = Enumerable.Range(0, 600).Select(number => Block($"unused {number}")).ToArray();
        await Store.PinAsync(intent.Token, unused);
        WantedBlock[] blocks = [Block("used")];
        var entry = await Store.CommitAsync(intent.Token, Large("/f", await Store.PinAsync(intent.Token, blocks), blocks, Nodes[..3]));
        var left = Assert.Single(await Store.ListIntentsAsync(null, null, true, 10));
        Assert.True(left.IsReleased);
        await Assert.ThrowsAsync<UploadIdInUseException>(
            () => Store.OpenIntentAsync(Customer, intent.Token.Id, Path("/f"), "again", Lease));
        var steps = 1;
        while (!await Store.ReleaseIntentAsync(left.Token, Nodes[..2])) steps++;
        Assert.True(steps > 1, "all in one transaction, however many they are");
        Assert.Equal(600, (await Store.ListDeletingAsync(null, 1000)).Count);
        Assert.Equal(entry, await Store.StatAsync(Customer, Path("/f")));
        Assert.Empty(await Store.ListIntentsAsync(null, null, false, 10));
    }

    [Fact]
    public async Task A_quota_refuses_before_the_first_byte_what_is_said_to_exceed_it()
    {
        await Store.SetQuotaAsync(Customer, new(100, 1));
        var refused = await Assert.ThrowsAsync<QuotaExceededException>(() => OpenAsync("/f", 101));
        Assert.Equal((Customer, "bytes", 0, 101, 100), (refused.Customer, refused.What, refused.Used, refused.More, refused.Limit));
        Assert.True(await Store.ReleaseIntentAsync((await OpenAsync("/f", 100)).Token, Nodes));
        await PutSmallAsync("/f", new string('x', 60));
        // What is replaced is given back.
        Assert.True(await Store.ReleaseIntentAsync((await OpenAsync("/f", 100)).Token, Nodes));
        Assert.Equal("files", (await Assert.ThrowsAsync<QuotaExceededException>(() => OpenAsync("/g", 10))).What);
        await Store.SetQuotaAsync(Customer, new(100, 2));
        await Assert.ThrowsAsync<QuotaExceededException>(() => OpenAsync("/g", 41));

        Task<UploadIntent> OpenAsync(string path, long expected) => Store.OpenIntentAsync(
            Customer, new IntentRequest { Id = NextId(), Path = Path(path), Owner = "a test", Lease = Lease, ExpectedBytes = expected });
    }

    [Fact]
    public async Task A_clock_that_goes_far_ahead_or_comes_back_ends_no_lease_and_condemns_nothing()
    {
        await PutAsync("/f", "content");
        await Store.DeleteFileAsync(Customer, Path("/f"));
        var intent = await BeginAsync("/g");
        foreach (var jump in (double[])[4000, -8000])
        {
            Clock.JumpWallClock(TimeSpan.FromDays(jump));
            await Store.PinAsync(intent.Token, [Block($"while it is {jump}")]);
            Assert.Equal(Clock.GetUtcNow() + Lease, (await Store.RenewIntentAsync(intent.Token, Lease)).LeaseEndsAt);
            Assert.Empty(await Store.ListIntentsAsync(null, null, true, 10));
            Assert.Empty(await Store.ListIdleAsync(Day, null, 10));
            Assert.Equal(Clock.GetUtcNow(), (await PutSmallAsync($"/{jump}")).CreatedAt);
            Assert.False(await Store.CondemnAsync(Assert.Single(await Store.ListIdleAsync(TimeSpan.Zero, null, 10)), Day));
            // While it is closed time goes on by an hour at most: leases end, and a day does not pass.
            await ReopenAsync();
            Assert.Empty(await Store.ListIdleAsync(Day, null, 10));
            intent = await Store.OpenIntentAsync(Customer, intent.Token.Id, Path("/g"), "a test", Lease);
        }

        Clock.Advance(Lease);
        Assert.Single(await Store.ListIntentsAsync(null, null, true, 10));
        Clock.Advance(Day);
        Assert.True(await Store.CondemnAsync(Assert.Single(await Store.ListIdleAsync(Day, null, 10)), Day));
    }

    [Fact]
    public async Task The_longest_of_everything_has_room()
    {
        var component = new string('x', FilePath.MaxComponentBytes);
        var longest = "/" + string.Join('/', component, component, component, component);
        Assert.Equal(FilePath.MaxBytes, longest.Length);
        var properties = FileProperties.Of([new(component, new string('v', FileProperties.MaxBytes - component.Length))]);
        await Store.CreateDirectoryAsync(Customer, Path("/" + component), new() { Properties = properties });
        var small = Small(longest, new string('c', FileCommit.MaxInlineBytes)) with
        {
            CreateParents = true,
            Properties = properties,
            Tag = new string('t', FileCommit.MaxTagBytes),
        };
        await Store.CommitInlineAsync(Customer, NextId(), small);
        await Store.DeleteFileAsync(Customer, Path(longest));
        var request = new IntentRequest
        {
            Id = ulong.MaxValue,
            Path = Path(longest),
            Owner = component,
            Lease = Lease,
            IsInParts = true,
            Properties = properties,
            CreateParents = true,
        };
        var intent = await Store.OpenIntentAsync(Customer, request);
        var pins = await Store.PinAsync(intent.Token, [Block("one")]);
        await Store.CommitAsync(
            intent.Token, Large(longest, pins, [Block("one")], Nodes[..3]) with { Properties = properties, CreateParents = true });
        await Store.CreateUserAsync(Customer, component, FileRights.Read);
        await Store.CreateKeyAsync(Customer, component, null, new(new string('k', 128), new string('s', 128)));
        await Store.CreateCustomerAsync(component, Quota.None);
        await ReopenAsync();
        var described = (await Store.DescribeAsync(Customer, Path(longest)))!;
        Assert.Equal((ulong.MaxValue, properties), (described.Entry.FileId, described.Properties));
        Assert.Single(await ListAsync(longest[1..]));
        Assert.Equal(new(3, 1, 4 - 1), await Store.GetBucketUsageAsync(Customer, Path("/" + component)));
        Assert.Equal(properties, (await Store.DescribeAsync(Customer, Path("/" + component)))!.Properties);
        await Store.DeleteFileAsync(Customer, Path(longest));
        await Store.DeleteDirectoryAsync(Customer, Path("/" + component));
        Assert.Empty(await ListAsync());
    }

    [Fact]
    public async Task Numbers_of_uploads_sort_by_time_and_are_drawn_by_chance()
    {
        var entropy = new Simulation.SeededEntropy(1);
        var first = UploadId.Draw(Clock, entropy);
        Clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(UploadId.Draw(Clock, entropy) >> 24 > first >> 24);
        Assert.NotEqual(UploadId.Draw(Clock, entropy), UploadId.Draw(Clock, entropy));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => Store.OpenIntentAsync(Customer, 0, Path("/f"), "a test", Lease));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(
            () => Store.OpenIntentAsync(Customer, 1, Path("/f"), "a test", TimeSpan.Zero));
    }
}
