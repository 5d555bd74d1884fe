using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>What would lose or show wrong data is refused where it would happen, in every build.</summary>
public sealed class InvariantTests
{
    [Fact]
    public void What_was_shown_stays_shown()
    {
        using var values = new ValueSegments(new StoreFiles(TestStore.NewDisk(), TestStore.Directory), new BlockCache(0));
        var tables = TableSet.Create([]);
        using var state = new StoreState(
            new StoreVersion(new MemTable(), [], tables), 7, TimeProvider.System, values, new ReadEpoch());
        tables.Release();
        state.Publish(7);
        state.Publish(9);
        Assert.Throws<InvariantException>(() => state.Publish(8));
        Assert.Equal(9UL, state.VisibleSequence);
    }

    [Fact]
    public void Tables_of_a_level_do_not_overlap()
    {
        using var shelf = new Shelf();
        shelf.Add(1, 0, 10);
        shelf.Add(1, 10, 20);
        Assert.Throws<InvariantException>(shelf.ToSet);
    }

    [Fact]
    public void Who_never_entered_does_not_leave()
    {
        var epoch = new ReadEpoch();
        Assert.Throws<InvariantException>(() => epoch.Exit(0));
        Assert.Throws<InvariantException>(() => epoch.ExitWithoutWaiting(0));
    }

    [Fact]
    public void A_table_takes_away_no_more_references_than_it_brought()
    {
        var state = new ManifestState();
        var table = new TableInfo(1, 1, 100, 0, 1, 1, 1, [1], [2]) { References = [new SegmentReference(5, 10, 1)] };
        var edit = new ManifestEdit();
        edit.AddedTables.Add(table);
        edit.AddedSegments.Add(new ValueSegmentInfo(5, 0, SegmentOrigin.Log, 100));
        state.Apply(edit, "MANIFEST", 0);
        table.References[0] = new SegmentReference(5, 11, 1);
        var removal = new ManifestEdit();
        removal.RemovedTables.Add(1);
        Assert.Throws<InvariantException>(() => state.Apply(removal, "MANIFEST", 0));
    }
}
