using Ashlar.Files.Tests.Chunks;
using Ashlar.Files.Tests.Nodes;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Files.Tests.Repair;

/// <summary>What the catalogue tells of a block is damaged: the others are repaired all the same.</summary>
public sealed class DamagedCatalogueTests
{
    [Fact]
    public async Task A_row_that_cannot_be_read_keeps_no_other_block_from_being_repaired()
    {
        await using var rig = new NodeRig(3);
        var blocks = new List<StoredCopies>();
        for (var number = 0; number < 4; number++)
        {
            var block = await rig.StoreAsync(new SeededRandom((ulong)number).Bytes(5000), (ulong)number + 1);
            await block.Completed;
            blocks.Add(block);
            await rig[block.Durable[0]].RemoveAsync(block.Name, default);
            rig.Catalogue.Put(block.Name, block.LengthBytes, 3, block.Durable.Skip(1));
        }

        var damaged = blocks[1].Name;
        var catalogue = Intercepted<IBlockCatalogue>.Create(rig.Catalogue, planted:
        [
            (nameof(IBlockCatalogue.GetLocationsAsync), (CustomerId customer, IReadOnlyList<BlockName> names, CancellationToken stop) =>
                names.Contains(damaged)
                    ? Task.FromException<IReadOnlyList<BlockLocations?>>(new CorruptDataException("a row", 0, "it is damaged"))
                    : rig.Catalogue.GetLocationsAsync(customer, names, stop)),
        ]);
        var repair = new BlockRepair(rig.Known, rig.Buffers, catalogue, null, new SeededEntropy(1));
        repair.Report(NodeExtensions.Owner, damaged, blocks[1].Durable[0], CopyProblem.Missing);
        var outcomes = await repair.RunAsync();
        Assert.Equal(3, outcomes[RepairOutcome.Whole]);
        Assert.True(outcomes[RepairOutcome.Unreadable] >= 1);
        foreach (var block in blocks.Where(block => block.Name != damaged)) Assert.Equal(3, rig.Catalogue[block.Name].Nodes.Count);
    }

    [Fact]
    public async Task Who_goes_through_the_blocks_of_a_node_passes_a_row_that_cannot_be_read_and_says_so()
    {
        await using var rig = new NodeRig(4);
        var blocks = new List<StoredCopies>();
        for (var number = 0; number < 6; number++)
        {
            var block = await rig.StoreAsync(new SeededRandom((ulong)number).Bytes(5000), (ulong)number + 1);
            await block.Completed;
            rig.Catalogue.Put(block);
            blocks.Add(block);
        }

        var node = rig.Nodes.MaxBy(each => blocks.Count(block => block.Durable.Contains(each.Id)))!;
        var mine = blocks.Where(block => block.Durable.Contains(node.Id)).ToArray();
        var damaged = mine[1].Name;
        var catalogue = Intercepted<IBlockCatalogue>.Create(rig.Catalogue, planted:
        [
            (nameof(IBlockCatalogue.GetLocationsAsync), (CustomerId customer, IReadOnlyList<BlockName> names, CancellationToken stop) =>
                names.Contains(damaged)
                    ? Task.FromException<IReadOnlyList<BlockLocations?>>(new CorruptDataException("a row", 0, "it is damaged"))
                    : rig.Catalogue.GetLocationsAsync(customer, names, stop)),
        ]);
        var repair = new BlockRepair(rig.Known, rig.Buffers, catalogue, null, new SeededEntropy(1));
        var care = new NodeCare(rig.Known, catalogue, repair);
        var compared = await care.CompareAsync(node.Id);
        Assert.Equal((mine.Length - 1, 0, 1), (compared.Present, compared.Lacking, compared.Damaged));
        var check = await care.CheckDrainAsync(node.Id);
        Assert.Equal(mine.Length, check.Blocks);
        Assert.Equal("what the metadata tell of 1 blocks is damaged: they stay", Assert.Single(check.Problems));
        foreach (var block in mine) rig.Damage(node.Id, block.Name);
        var scrubbed = await care.ScrubAsync(node.Id, null, 100);
        Assert.Equal((0, mine.Length), (scrubbed.Good, scrubbed.Bad.Count));
        var outcomes = await care.DrainAsync(node.Id);
        Assert.Equal(1, outcomes[RepairOutcome.Unreadable]);
        foreach (var block in mine.Where(block => block.Name != damaged))
        {
            Assert.Equal(3, rig.Catalogue[block.Name].Nodes.Count);
            Assert.DoesNotContain(node.Id, rig.Catalogue[block.Name].Nodes);
        }

        Assert.Contains(node.Id, rig.Catalogue[damaged].Nodes);
    }
}
