using Ashlar.KeyValue.Blocks;
using Ashlar.KeyValue.SortedTable;

namespace Ashlar.KeyValue.Verification;

/// <summary>Asks the filters of a table for its own entries, in their order: each filter is read once.</summary>
sealed class FilterWalk
{
    readonly Table table;
    readonly BlockBuffer buffer = new();
    readonly Block root;
    byte[] filter = [];
    int partition = -1;

    public FilterWalk(Table table)
    {
        this.table = table;
        root = table.Load(buffer, table.Footer.Root);
    }

    public bool MayContain(ReadOnlySpan<byte> key, ulong sequence)
    {
        var at = root.Find(key, sequence);
        if (at == root.Count) return false;
        if (at != partition) filter = table.ReadFilter(table.PartitionAt(root, at).Filter).ToArray();
        partition = at;
        return BloomFilter.MayContain(filter, KeyHash.Compute(key));
    }
}
