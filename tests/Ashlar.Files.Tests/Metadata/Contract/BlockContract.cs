namespace Ashlar.Files.Tests;

public abstract class BlockContract : MetadataContract
{
    [Fact]
    public async Task Nodes_are_replaced_only_in_the_row_that_was_read()
    {
        var name = (await PutAsync("/f", "content"))[0].Name;
        var before = (await FindAsync(name))!;
        var after = (await Store.ReplaceNodesAsync(Customer, name, before.Version, [Nodes[3], Nodes[1], Nodes[3]]))!;
        Assert.Equal((NodeId[])[Nodes[1], Nodes[3]], after.Nodes);
        Assert.True(after.Version > before.Version);
        Assert.Null(await Store.ReplaceNodesAsync(Customer, name, before.Version, [Nodes[0]]));
        Assert.Null(await Store.ReplaceNodesAsync(Customer, name with { Generation = 99 }, before.Version, [Nodes[0]]));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.ReplaceNodesAsync(Customer, name, after.Version, []));
        await ReopenAsync();
        var found = await Store.GetLocationsAsync(Customer, [name with { Generation = 99 }, name]);
        Assert.Null(found[0]);
        Assert.Equal(after.Nodes, found[1]!.Nodes);
    }

    [Fact]
    public async Task Blocks_are_found_from_their_nodes_and_by_how_few_copies_they_have()
    {
        var names = new List<BlockName>();
        for (var i = 0; i < 5; i++) names.Add((await PutAsync($"/{i}", $"content {i}"))[0].Name);
        Assert.Empty(await Store.ListUnderReplicatedAsync(null, 10));
        Assert.Empty(await Store.ListBlocksOfNodeAsync(Nodes[3], null, 10));
        for (var i = 0; i < 3; i++)
        {
            var nodes = Nodes[(i % 2)..2];
            Assert.NotNull(await Store.ReplaceNodesAsync(Customer, names[i], (await FindAsync(names[i]))!.Version, nodes));
        }

        // One copy before two, pages of one.
        var listed = new List<BlockLocations>();
        while (await Store.ListUnderReplicatedAsync(listed.LastOrDefault(), 1) is [var next]) listed.Add(next);
        Assert.Equal([1, 2, 2], listed.Select(block => block.Nodes.Count));
        Assert.Equal(names[1], listed[0].Name);
        Assert.Equal(names[..3].Order(), listed.Select(block => block.Name).Order());

        var onFirst = new List<CustomerBlock>();
        while (await Store.ListBlocksOfNodeAsync(Nodes[0], onFirst.Count == 0 ? null : onFirst[^1], 1) is [var next]) onFirst.Add(next);
        Assert.Equal(names.Except([names[1]]).Order().Select(name => new CustomerBlock(Customer, name)), onFirst);
        Assert.Equal(2, (await Store.ListBlocksOfNodeAsync(Nodes[2], null, 10)).Count);
    }

    [Fact]
    public async Task More_copies_are_wanted_of_blocks_that_should_have_had_fewer_and_never_fewer_of_others()
    {
        var names = new List<BlockName>();
        for (var i = 0; i < 5; i++) names.Add((await PutAsync($"/{i}", $"content {i}"))[0].Name);
        var wanted = (await FindAsync(names[0]))!.WantedCopies;
        var first = (await FindAsync(names[0]))!;
        await Store.ReplaceNodesAsync(Customer, names[0], first.Version, first.Nodes, wanted + 2);
        Assert.Equal(names[0], Assert.Single(await Store.ListUnderReplicatedAsync(null, 10)).Name);

        var seen = new List<CustomerBlock>();
        while (await Store.RaiseWantedCopiesAsync(seen.Count == 0 ? null : seen[^1], wanted + 1, 2) is { } last) seen.Add(last);
        Assert.Equal(3, seen.Count);
        await ReopenAsync();
        foreach (var name in names) Assert.Equal(wanted + (name == names[0] ? 2 : 1), (await FindAsync(name))!.WantedCopies);
        Assert.Equal(5, (await Store.ListUnderReplicatedAsync(null, 10)).Count);
        var version = (await FindAsync(names[1]))!.Version;
        await Store.RaiseWantedCopiesAsync(null, wanted, 10);
        Assert.Equal(version, (await FindAsync(names[1]))!.Version);
    }

    [Fact]
    public async Task A_lost_node_and_an_upload_that_adds_a_copy_do_not_overwrite_each_other()
    {
        var name = (await PutAsync("/f", "content"))[0].Name;
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 4).Select(number => Task.Run(async () =>
        {
            for (var i = 0; i < 10; i++)
            {
                while (true)
                {
                    var present = (await FindAsync(name))!;
                    var mine = new NodeId((ulong)(100 + (number * 10) + i));
                    if (await Store.ReplaceNodesAsync(Customer, name, present.Version, [.. present.Nodes, mine]) is not null) break;
                }
            }

            return number;
        })));
        Assert.Equal(4, outcomes.Length);
        Assert.Equal(3 + 40, (await FindAsync(name))!.Nodes.Count);
    }
}
