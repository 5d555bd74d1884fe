namespace Ashlar.Files.Tests;

public abstract class CollectionContract : MetadataContract
{
    [Fact]
    public async Task A_block_that_nothing_refers_to_goes_in_three_steps_with_a_period_before_each()
    {
        var name = (await PutAsync("/f", "content"))[0].Name;
        Assert.Empty(await Store.ListIdleAsync(TimeSpan.Zero, null, 10));
        await Store.DeleteFileAsync(Customer, Path("/f"));
        Assert.Empty(await Store.ListIdleAsync(Day, null, 10));
        Clock.Advance(Day);
        var idle = Assert.Single(await Store.ListIdleAsync(Day, null, 10));
        Assert.Equal(new(Customer, name), idle.Block);
        Assert.True(await Store.CondemnAsync(idle, Day));
        Assert.Empty(await Store.ListIdleAsync(TimeSpan.Zero, null, 10));
        Assert.Equal(BlockState.Condemned, (await FindAsync(name))!.State);

        Assert.Empty(await Store.ListCondemnedAsync(Day, null, 10));
        var condemned = Assert.Single(await Store.ListCondemnedAsync(TimeSpan.Zero, null, 10));
        Assert.Null(await Store.BeginDeletionAsync(condemned, Day));
        Clock.Advance(Day);
        await ReopenAsync();
        var deleting = (await Store.BeginDeletionAsync(Assert.Single(await Store.ListCondemnedAsync(Day, null, 10)), Day))!;
        Assert.Equal(Nodes[..3], deleting.Nodes);
        Assert.Null(await Store.ReplaceNodesAsync(Customer, name, deleting.Version, [Nodes[0]]));
        Assert.Empty(await Store.ListCondemnedAsync(TimeSpan.Zero, null, 10));

        Assert.False(await Store.FinishDeletionAsync(new(Customer, name), Nodes[..2]));
        Assert.Equal(Nodes[2], Assert.Single(Assert.Single(await Store.ListDeletingAsync(null, 10)).Nodes));
        Assert.Empty(await Store.ListBlocksOfNodeAsync(Nodes[0], null, 10));
        Assert.True(await Store.FinishDeletionAsync(new(Customer, name), [Nodes[2]]));
        Assert.True(await Store.FinishDeletionAsync(new(Customer, name), [Nodes[2]]));
        Assert.Null(await FindAsync(name));
        Assert.Empty(await Store.ListDeletingAsync(null, 10));
        Assert.Empty(await Store.ListBlocksOfNodeAsync(Nodes[2], null, 10));
    }

    [Fact]
    public async Task A_block_that_a_file_refers_to_is_never_condemned()
    {
        var name = (await PutAsync("/f", "content"))[0].Name;
        await PutAsync("/g", "content");
        await Store.DeleteFileAsync(Customer, Path("/f"));
        Assert.False(await Store.CondemnAsync(Assert.Single(await Store.ListIdleAsync(TimeSpan.Zero, null, 10)), TimeSpan.Zero));
        Assert.Empty(await Store.ListIdleAsync(TimeSpan.Zero, null, 10));
        Assert.Equal(BlockState.Live, (await FindAsync(name))!.State);
        Assert.False(await Store.FinishDeletionAsync(new(Customer, name), Nodes));
        await Store.DeleteFileAsync(Customer, Path("/g"));
        Assert.Single(await Store.ListIdleAsync(TimeSpan.Zero, null, 10));
    }

    [Fact]
    public async Task A_block_in_use_is_not_condemned_for_a_while_after_its_last_use()
    {
        await PutAsync("/f", "content");
        Clock.Advance(Day);
        await PutAsync("/g", "content");
        await Store.DeleteFileAsync(Customer, Path("/f"));
        await Store.DeleteFileAsync(Customer, Path("/g"));
        var idle = (await Store.ListIdleAsync(TimeSpan.Zero, null, 10))[0];
        Assert.False(await Store.CondemnAsync(idle, Hour));
        Assert.Contains(idle, await Store.ListIdleAsync(TimeSpan.Zero, null, 10));
        Clock.Advance(Hour);
        Assert.True(await Store.CondemnAsync(idle, Hour));
    }

    [Fact]
    public async Task A_condemned_block_is_a_hit_and_the_commit_makes_it_live_again()
    {
        var name = await CondemnedAsync();
        var intent = await BeginAsync("/g");
        var pins = await Store.PinAsync(intent.Token, [Block("content")]);
        Assert.Equal((name, BlockState.Condemned), (pins[0].Name, pins[0].Known!.State));
        await Store.CommitAsync(intent.Token, Large("/g", pins, [Block("content")]));
        Assert.Equal(BlockState.Live, (await FindAsync(name))!.State);
        Assert.Empty(await Store.ListCondemnedAsync(TimeSpan.Zero, null, 10));
    }

    [Fact]
    public async Task A_pin_alone_stops_the_deletion_of_a_condemned_block()
    {
        var name = await CondemnedAsync();
        var intent = await BeginAsync("/g");
        await Store.PinAsync(intent.Token, [Block("content")]);
        Assert.Null(await Store.BeginDeletionAsync(Assert.Single(await Store.ListCondemnedAsync(TimeSpan.Zero, null, 10)), TimeSpan.Zero));
        Assert.Equal(BlockState.Live, (await FindAsync(name))!.State);
        // When the pin goes the block is found again.
        await Store.ReleaseIntentAsync(intent.Token, Nodes);
        Assert.True(await Store.CondemnAsync(Assert.Single(await Store.ListIdleAsync(TimeSpan.Zero, null, 10)), TimeSpan.Zero));
    }

    [Fact]
    public async Task A_content_that_is_being_deleted_is_uploaded_as_another_generation()
    {
        var name = await CondemnedAsync();
        var condemned = Assert.Single(await Store.ListCondemnedAsync(TimeSpan.Zero, null, 10));
        Assert.NotNull(await Store.BeginDeletionAsync(condemned, TimeSpan.Zero));
        Assert.Null(await Store.BeginDeletionAsync(condemned, TimeSpan.Zero));
        var next = (await PutAsync("/g", "content"))[0];
        Assert.Null(next.Known);
        Assert.NotEqual(name, next.Name);

        // A late step that means the old one does not touch the new one.
        Assert.Equal(name, Assert.Single(await Store.ListDeletingAsync(null, 10)).Name);
        Assert.True(await Store.FinishDeletionAsync(new(Customer, name), Nodes));
        Assert.True(await Store.FinishDeletionAsync(new(Customer, name), Nodes));
        Assert.Equal(BlockState.Live, (await FindAsync(next.Name))!.State);
        Assert.Equal(Nodes[..3], (await FindAsync(next.Name))!.Nodes);
    }

    [Fact]
    public async Task Blocks_that_nothing_tells_of_are_adopted_as_surplus()
    {
        var known = (await PutAsync("/f", "known"))[0].Name;
        var intent = await BeginAsync("/g");
        var pinned = (await Store.PinAsync(intent.Token, [Block("pinned")]))[0].Name;
        var stranger = new BlockName(Block("stranger").Hash, 4711);
        FileBlock[] found = [new(known, 5), new(pinned, 6), new(stranger, 8), new(stranger, 8)];
        Assert.Equal(1, await Store.AdoptStrangersAsync(Customer, Nodes[3], found));
        Assert.Equal(0, await Store.AdoptStrangersAsync(Customer, Nodes[3], found));
        var surplus = Assert.Single(await Store.ListDeletingAsync(null, 10));
        Assert.Equal((stranger, Nodes[3], 8), (surplus.Name, Assert.Single(surplus.Nodes), surplus.LengthBytes));

        // Another node has one as well: both are to remove it.
        Assert.Equal(1, await Store.AdoptStrangersAsync(Customer, Nodes[0], found));
        Assert.Equal(0, await Store.AdoptStrangersAsync(Customer, Nodes[0], found));
        Assert.Equal([Nodes[0], Nodes[3]], Assert.Single(await Store.ListDeletingAsync(null, 10)).Nodes);
        Assert.False(await Store.FinishDeletionAsync(new(Customer, stranger), [Nodes[3]]));
        Assert.True(await Store.FinishDeletionAsync(new(Customer, stranger), [Nodes[0]]));
    }

    [Fact]
    public async Task Lists_of_the_collector_come_in_pages()
    {
        string[] contents = [.. Enumerable.Range(0, 20).Select(number => $"content {number}")];
        await PutAsync("/f", contents);
        await Store.DeleteFileAsync(Customer, Path("/f"));
        foreach (var idle in await Store.ListIdleAsync(TimeSpan.Zero, null, 7)) Assert.True(await Store.CondemnAsync(idle, TimeSpan.Zero));
        Assert.Equal(13, (await Store.ListIdleAsync(TimeSpan.Zero, null, 100)).Count);
        foreach (var condemned in await Store.ListCondemnedAsync(TimeSpan.Zero, null, 5))
            Assert.NotNull(await Store.BeginDeletionAsync(condemned, TimeSpan.Zero));
        Assert.Equal(2, (await Store.ListCondemnedAsync(TimeSpan.Zero, null, 100)).Count);
        var deleting = new List<BlockLocations>();
        while (await Store.ListDeletingAsync(deleting.Count == 0 ? null : new(Customer, deleting[^1].Name), 2) is { Count: > 0 } page)
            deleting.AddRange(page);
        Assert.Equal(5, deleting.Count);
        Assert.Empty(await Store.ListIdleAsync(TimeSpan.FromDays(100_000), null, 10));
    }

    [Fact]
    public async Task Lists_of_the_collector_go_on_behind_what_stays_in_them()
    {
        string[] contents = [.. Enumerable.Range(0, 5).Select(number => $"content {number}")];
        await PutAsync("/f", contents);
        await Store.DeleteFileAsync(Customer, Path("/f"));
        var idle = new List<CollectionCandidate>();
        while (await Store.ListIdleAsync(TimeSpan.Zero, idle.Count == 0 ? null : idle[^1], 2) is { Count: > 0 } page) idle.AddRange(page);
        Assert.Equal(await Store.ListIdleAsync(TimeSpan.Zero, null, 10), idle);
        foreach (var block in idle) await Store.CondemnAsync(block, TimeSpan.Zero);
        var condemned = await Store.ListCondemnedAsync(TimeSpan.Zero, null, 10);
        Assert.Equal(condemned.Skip(2), await Store.ListCondemnedAsync(TimeSpan.Zero, condemned[1], 10));
    }

    [Fact]
    public async Task What_waits_for_a_node_that_is_gone_for_good_is_let_go_of()
    {
        var name = await CondemnedAsync();
        await Store.BeginDeletionAsync(Assert.Single(await Store.ListCondemnedAsync(TimeSpan.Zero, null, 10)), TimeSpan.Zero);
        var kept = (await PutAsync("/kept", "kept"))[0].Name;
        Assert.False(await Store.FinishDeletionAsync(new(Customer, name), Nodes[1..]));
        Assert.Equal(1, await Store.ForgetNodeAsync(Nodes[0]));
        Assert.Equal(0, await Store.ForgetNodeAsync(Nodes[0]));
        Assert.Null(await FindAsync(name));
        Assert.Empty(await Store.ListDeletingAsync(null, 10));
        // What files refer to is repair's.
        Assert.Equal(kept, Assert.Single(await Store.ListBlocksOfNodeAsync(Nodes[0], null, 10)).Name);
    }

    [Fact]
    public async Task A_block_is_found_again_when_an_upload_that_has_the_number_of_its_file_lets_go_of_it()
    {
        var intent = await BeginAsync("/f");
        var pins = await Store.PinAsync(intent.Token, [Block("content")]);
        await Store.CommitAsync(intent.Token, Large("/f", pins, [Block("content")], Nodes[..3]));
        await Store.DeleteFileAsync(Customer, Path("/f"));
        var again = await Store.OpenIntentAsync(Customer, intent.Token.Id, Path("/f"), "a test", Lease);
        Assert.Equal(pins[0].Name, (await Store.PinAsync(again.Token, [Block("content")]))[0].Name);
        Assert.False(await Store.CondemnAsync(Assert.Single(await Store.ListIdleAsync(TimeSpan.Zero, null, 10)), TimeSpan.Zero));
        await Store.ReleaseIntentAsync(again.Token, Nodes);
        Assert.True(await Store.CondemnAsync(Assert.Single(await Store.ListIdleAsync(TimeSpan.Zero, null, 10)), TimeSpan.Zero));
    }

    async Task<BlockName> CondemnedAsync()
    {
        var name = (await PutAsync("/f", "content"))[0].Name;
        await Store.DeleteFileAsync(Customer, Path("/f"));
        Assert.True(await Store.CondemnAsync(Assert.Single(await Store.ListIdleAsync(TimeSpan.Zero, null, 10)), TimeSpan.Zero));
        return name;
    }
}
