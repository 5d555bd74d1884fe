using System.Buffers.Binary;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>
/// One atomic write of the store: some leaves, and the free space and usage that changed by exactly these leaves. A large
/// commit is cut into several; after each of them map and free space agree.
/// </summary>
/// <param name="isSpill">
/// Whether it holds only leaves of which nothing but checksums has changed, and their data need not be durable.
/// </param>
sealed class CommitBatch(bool isSpill)
{
    const int MaxLeaves = 512;

    readonly List<(Leaf Leaf, bool WasOverwritten)> leaves = [];
    readonly HashSet<VolumeDevice> volumes = [];

    public WriteBatch Entries { get; } = new();

    public int LeafCount => leaves.Count;

    public bool IsSpill => isSpill;

    public bool IsFull => leaves.Count >= MaxLeaves;

    /// <summary>Whether a leaf took the place of one that could not be read.</summary>
    public bool HasReplacement { get; private set; }

    /// <summary>Chunks that the leaves have let go of.</summary>
    public List<long> Released { get; } = [];

    /// <summary>Takes a leaf as it is now. Call under its write lock.</summary>
    public void Capture(Leaf leaf, ChunkSpace space)
    {
        Invariant.Require(leaf.WriteLock.IsHeld);
        Span<byte> key = stackalloc byte[MapKeys.LeafBytes];
        Span<byte> value = stackalloc byte[LeafFormat.MaxBytes];
        lock (leaf)
        {
            if (leaf.Dirt == LeafDirt.None) return; // Captured before, from the other list.
            if (isSpill && leaf.Dirt > LeafDirt.Checksums) return; // It is in the other list.
            Invariant.Require(!isSpill || leaf.IsOverwritten); // Its marker says so after a crash.
            Invariant.Require(leaf.Damage is null); // Or what the store holds of it would be lost by guessing.
            leaf.Dirt = LeafDirt.None;
            leaves.Add((leaf, leaf.IsOverwritten));
            leaf.IsOverwritten = false;
            foreach (ref var entry in leaf.Entries)
            {
                if (entry.CapturedChunk != entry.Chunk)
                {
                    Invariant.Require(!isSpill);
                    space.Capture(entry.CapturedChunk, entry.Chunk);
                    leaf.Volume.CommittedChunks += (entry.Chunk == 0 ? 0 : 1) - (entry.CapturedChunk == 0 ? 0 : 1);
                    volumes.Add(leaf.Volume);
                    entry.CapturedChunk = entry.Chunk;
                }

                Invariant.Require(entry.Birth <= leaf.Volume.Generation);

                // Until the batch is known to be durable the store may hold the old leaf or this one: a block that is valid
                // in either must not be overwritten without a marker.
                entry.CapturedValid = entry.Valid;
                entry.CommittedValid |= entry.Valid;
            }

            if (leaf.IsReplacement)
            {
                leaf.IsReplacement = false;
                HasReplacement = true;
                Entries.Put(MapKeys.MayHaveLeaked, []);
            }

            if (leaf.RemovedChunks is { } removed)
            {
                Released.AddRange(removed);
                leaf.RemovedChunks = null;
            }

            MapKeys.WriteLeaf(key, leaf.Volume.Lineage, leaf.Index, leaf.Volume.Generation);
            var length = LeafFormat.Write(value, leaf.Entries, leaf.Checksums);
            if (length == 0) Entries.Delete(key);
            else Entries.Put(key, value[..length]);
        }
    }

    /// <summary>Adds the free space and the usage as they are after the leaves captured so far.</summary>
    public void Seal(ChunkSpace space)
    {
        Span<byte> value = stackalloc byte[GroupBitmap.MaxBytes];
        foreach (var group in space.TakeChangedGroups())
        {
            var length = GroupBitmap.Write(value, space.CommittedWords(group));
            if (length == 0) Entries.Delete(MapKeys.Bitmap(group));
            else Entries.Put(MapKeys.Bitmap(group), value[..length]);
        }

        foreach (var volume in volumes)
        {
            BinaryPrimitives.WriteInt64LittleEndian(value, volume.CommittedChunks);
            Entries.Put(MapKeys.Usage(volume.Lineage), value[..sizeof(long)]);
        }
    }

    /// <summary>The batch is durable; one that is a spill is only written, and its markers go to those that are to be settled.</summary>
    public void Completed(OverwriteMarkers markers, List<LeafMarks> spilled)
    {
        foreach (var (leaf, wasOverwritten) in leaves)
        {
            lock (leaf)
            {
                // A slot that moved on since has a place that no committed leaf knows.
                foreach (ref var entry in leaf.Entries)
                    if (entry.Chunk != 0 && entry.Chunk == entry.CapturedChunk) entry.CommittedValid = entry.CapturedValid;
            }

            if (wasOverwritten && leaf.Marks is { } marks)
            {
                if (isSpill) spilled.Add(marks);
                else markers.Committed(marks);
            }

            leaf.Unpin();
        }
    }
}
