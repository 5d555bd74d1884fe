using System.Buffers.Binary;
using Ashlar.KeyValue.Entries;

namespace Ashlar.KeyValue.Repair;

/// <summary>
/// What is left of the numbers of keyspaces: by the mark, of which an older one may be all that holds, by names, and by keys.
/// </summary>
sealed class KeyspaceNumbers
{
    // Each costs a durable write, so a larger one was never given: such a key is of a time when the store had no keyspaces.
    const uint LargestPlausible = int.MaxValue;

    /// <summary>Whether a mark was found.</summary>
    public bool HasMark { get; private set; }

    /// <summary>The largest number; 0 if there was none.</summary>
    public uint Last { get; private set; }

    /// <summary>Takes an entry into account.</summary>
    public void Note(ReadOnlySpan<byte> key, EntryKind kind, ReadOnlySpan<byte> stored)
    {
        if (!KeyspaceRegion.Holds(key)) return;
        if (key.Length == KeyspaceRegion.Start.Length)
        {
            if (kind != EntryKind.Put || !KeyspaceRegion.TryReadMark(stored, out var marked)) return;
            HasMark = true;
            Note(marked);
            return;
        }

        if (!KeyspaceRegion.TryReadId(key, out var id)) return;
        if (id > 0) Note(id);
        else if (kind == EntryKind.Put && stored.Length == sizeof(uint)) Note(BinaryPrimitives.ReadUInt32LittleEndian(stored));
    }

    void Note(uint id)
    {
        if (id <= LargestPlausible) Last = Math.Max(Last, id);
    }
}
