using Ashlar.KeyValue.Blocks;
using Ashlar.KeyValue.Cache;

namespace Ashlar.KeyValue.SortedTable;

/// <summary>
/// Where a <see cref="TableIterator"/> has its blocks from. Each block stays readable until the next of its sort is asked for.
/// </summary>
abstract class BlockSource
{
    public abstract Block Root();

    public abstract Block Index(Block root, int partition);

    public abstract Block Data(in BlockHandle handle);

    /// <summary>Gives back what is held.</summary>
    public virtual void Close()
    {
    }
}

/// <summary>Blocks of the cache, held by references: the iterator may stay on them for long.</summary>
sealed unsafe class CachedBlockSource(Table table, BlockCache cache) : BlockSource
{
    Block root;
    Block index;
    Block data;

    public override Block Root()
    {
        var slot = cache.Epoch.Enter();
        try
        {
            return Hold(ref root, table.Root(slot));
        }
        finally
        {
            cache.Epoch.Exit(slot);
        }
    }

    public override Block Index(Block root, int partition)
    {
        var slot = cache.Epoch.Enter();
        try
        {
            return Hold(ref index, table.Index(slot, root, partition));
        }
        finally
        {
            cache.Epoch.Exit(slot);
        }
    }

    public override Block Data(in BlockHandle handle)
    {
        var slot = cache.Epoch.Enter();
        try
        {
            return Hold(ref data, table.Load(slot, handle));
        }
        finally
        {
            cache.Epoch.Exit(slot);
        }
    }

    public override void Close()
    {
        Drop(ref data);
        Drop(ref index);
        Drop(ref root);
    }

    Block Hold(ref Block held, Block block)
    {
        if (!block.Memory->IsKept) BlockCache.AcquireBlock(block);
        Drop(ref held);
        held = block;
        return block;
    }

    void Drop(ref Block held)
    {
        if (!held.IsNone && !held.Memory->IsKept) cache.ReleaseBlock(held);
        held = default;
    }
}

/// <summary>Blocks read from the file, each once.</summary>
sealed class UncachedBlockSource(Table table) : BlockSource
{
    readonly BlockBuffer root = new();
    readonly BlockBuffer index = new();
    readonly BlockBuffer data = new();

    public override Block Root() => table.Load(root, table.Footer.Root);

    public override Block Index(Block root, int partition) => table.Load(index, table.PartitionAt(root, partition).Index);

    public override Block Data(in BlockHandle handle) => table.Load(data, handle);
}
