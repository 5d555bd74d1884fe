using Ashlar.Files.Tests.Chunks;
using Ashlar.Files.Tests.Nodes;
using Ashlar.Simulation;

namespace Ashlar.Files.Tests.Repair;

/// <summary>
/// Repair takes a copy away that is too much while an upload of the same content makes one in its place, and records it: through every
/// interleaving of their steps, each copy that is recorded is there.
/// </summary>
public sealed class RepairRaceTests
{
    [Fact]
    public async Task A_recorded_copy_is_there_in_whatever_order_things_happen()
    {
        var (count, taken) = await ExploreAsync();
        Assert.True(count > 70, $"{count}");
        Assert.InRange(taken, 1, count - 1);
    }

    [Fact]
    public Task A_repair_that_does_not_ask_for_pins_is_found() => AssertFoundAsync(neverPinned: true);

    [Fact]
    public Task A_node_that_takes_another_copy_away_than_the_one_that_was_looked_at_is_found() => AssertFoundAsync(ignoresMarks: true);

    [Fact]
    public Task A_row_that_was_read_before_the_pins_is_found() => AssertFoundAsync(readsRowFirst: true);

    static async Task AssertFoundAsync(bool neverPinned = false, bool ignoresMarks = false, bool readsRowFirst = false)
    {
        var found = await Assert.ThrowsAsync<InterleavingException>(() => ExploreAsync(neverPinned, ignoresMarks, readsRowFirst));
        Assert.Contains("is recorded and not there", found.Message, StringComparison.Ordinal);
    }

    static async Task<(int Count, int Taken)> ExploreAsync(
        bool neverPinned = false, bool ignoresMarks = false, bool readsRowFirst = false)
    {
        await using var rig = new NodeRig(4);
        var taken = 0;
        var number = 0;
        var count = await StepScheduler.ExploreAsync(async scheduler =>
        {
            rig.Catalogue.Gate = null;
            foreach (var node in rig.Nodes) node.Before = null;
            var content = NodeExtensions.Content(++number, 1000);
            var block = new CustomerBlock(NodeExtensions.Owner, NodeExtensions.NameOf(content));
            foreach (var node in rig.Nodes) await node.PutAsync(content);
            var surplus = rig.Nodes[3];
            surplus.IgnoresMarks = ignoresMarks;
            NodeId[] listed = [.. rig.Nodes.Take(3).Select(node => node.Id)];
            rig.Catalogue.Put(block.Name, content.Length, 3, listed);

            scheduler.Add("upload", async gate =>
            {
                await gate("pin");
                if (!neverPinned) rig.Catalogue.Pin(block.Name);
                await gate("make a copy");
                await surplus.Inner.PutAsync(content);
                await gate("commit");
                rig.Catalogue.Commit(block.Name, surplus.Id);
            });
            scheduler.Add("repair", async gate =>
            {
                await gate("look");
                var mark = (await surplus.FindAsync(block, default))!.Mark;
                if (readsRowFirst) rig.Catalogue.Stale = rig.Catalogue[block.Name];
                rig.Catalogue.Gate = gate;
                surplus.Before = call => call == NodeCall.Remove ? gate("remove") : Task.CompletedTask;
                var repair = new BlockRepair(rig.Known, rig.Buffers, rig.Catalogue, null, new SeededEntropy(4));
                taken += await repair.TakeAwayAsync(block, [(surplus.Id, mark)], default);
            });
            return async () =>
            {
                rig.Catalogue.Gate = null;
                rig.Catalogue.Stale = null;
                foreach (var id in rig.Catalogue[block.Name].Nodes)
                    if (await rig[id].Inner.FindAsync(block, default) is null)
                        throw new InvalidOperationException($"a copy on {id} is recorded and not there");
            };
        });
        return (count, taken);
    }
}
