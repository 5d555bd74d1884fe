using System.Numerics;
using System.Runtime.CompilerServices;

namespace Ashlar.Volumes;

/// <summary>A set of the 256 blocks of a leaf: a mask of 16 for each of its chunks.</summary>
[InlineArray(MapLayout.ChunksPerLeaf)]
struct BlockSet
{
    ushort firstMask;

    public readonly bool IsEmpty => !((ReadOnlySpan<ushort>)this).ContainsAnyExcept((ushort)0);

    public readonly int Count
    {
        get
        {
            var count = 0;
            foreach (var mask in this) count += BitOperations.PopCount(mask);
            return count;
        }
    }

    /// <summary>Chunks with at least one block in the set.</summary>
    public readonly int ChunkCount
    {
        get
        {
            var count = 0;
            foreach (var mask in this)
                if (mask != 0) count++;
            return count;
        }
    }

    public readonly bool Contains(int block) =>
        (this[block / MapLayout.BlocksPerChunk] >> (block % MapLayout.BlocksPerChunk) & 1) != 0;

    /// <summary>Whether every block of the other set is in this one.</summary>
    public readonly bool Contains(BlockSet other)
    {
        for (var slot = 0; slot < MapLayout.ChunksPerLeaf; slot++)
            if ((other[slot] & ~this[slot]) != 0) return false;
        return true;
    }

    public readonly bool Overlaps(BlockSet other)
    {
        for (var slot = 0; slot < MapLayout.ChunksPerLeaf; slot++)
            if ((other[slot] & this[slot]) != 0) return true;
        return false;
    }

    public void Add(BlockSet other)
    {
        for (var slot = 0; slot < MapLayout.ChunksPerLeaf; slot++) this[slot] |= other[slot];
    }

    public void Add(int block) => this[block / MapLayout.BlocksPerChunk] |= (ushort)(1 << (block % MapLayout.BlocksPerChunk));

    public void Remove(int block) => this[block / MapLayout.BlocksPerChunk] &= (ushort)~(1 << (block % MapLayout.BlocksPerChunk));

    /// <summary>Keeps only what the other set has as well.</summary>
    public void IntersectWith(BlockSet other)
    {
        for (var slot = 0; slot < MapLayout.ChunksPerLeaf; slot++) this[slot] &= other[slot];
    }

    /// <summary>Takes out what the other set has.</summary>
    public void ExceptWith(BlockSet other)
    {
        for (var slot = 0; slot < MapLayout.ChunksPerLeaf; slot++) this[slot] &= (ushort)~other[slot];
    }
}
