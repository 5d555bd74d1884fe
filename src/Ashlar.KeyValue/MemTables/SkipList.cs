using System.Runtime.CompilerServices;
using Ashlar.KeyValue.Entries;

namespace Ashlar.KeyValue.MemTables;

/// <summary>
/// Entries in order, in native memory. One writer at a time; readers need no lock.
/// </summary>
/// <remarks>
/// Why readers are safe: a node is complete before a link to it is written with release semantics, links are read with
/// acquire semantics, nodes never move and are freed only with the whole list, whose owner counts references.
/// <code>
///   8 * (2 - height)   0          8           12            16     17       24       24 + 8 * height
///   +------------------+----------+-----------+-------------+------+--------+--------+------+--------+
///   | Newest[]         | Sequence | KeyLength | ValueLength | Kind | Height | Next[] | Key  | Value  |
///   +------------------+----------+-----------+-------------+------+--------+--------+------+--------+
/// </code>
/// </remarks>
sealed unsafe partial class SkipList
{
    const int MaxHeight = 12;
    const int NextOffset = 24;

    /// <summary>The lowest level whose links say how new what they pass over is: below it costs memory for each entry.</summary>
    const int FirstNoted = 2;

    readonly Arena arena = new();
    readonly byte* head;
    int height = 1;
    uint random = 0x9E3779B9;
    bool isTracking;
    ulong newestUntracked; // Of what links say nothing of.

    public SkipList()
    {
        head = Allocate(MaxHeight, 0);
        new Span<byte>(head, NextOffset + (MaxHeight * sizeof(nint))).Clear();
        for (var level = FirstNoted; level < MaxHeight; level++) NewestOf(head, level) = 0;
    }

    public long UsedBytes => arena.UsedBytes;

    public static ulong SequenceOf(byte* node) => *(ulong*)node;

    public static EntryKind KindOf(byte* node) => (EntryKind)node[16];

    public static ReadOnlySpan<byte> KeyOf(byte* node) =>
        new(node + NextOffset + (node[17] * sizeof(nint)), *(int*)(node + 8));

    public static ReadOnlySpan<byte> ValueOf(byte* node) =>
        new(node + NextOffset + (node[17] * sizeof(nint)) + *(int*)(node + 8), *(int*)(node + 12));

    public byte* First => Next(head, 0);

    public static byte* NextOf(byte* node) => Next(node, 0);

    /// <summary>Adds an entry; returns that of the same key which it is newer than, or null.</summary>
    public byte* Insert(ReadOnlySpan<byte> key, ulong sequence, EntryKind kind, ReadOnlySpan<byte> value)
    {
        var before = stackalloc byte*[MaxHeight];
        FindLess(key, sequence, before, out var next);
        var nodeHeight = RandomHeight();
        var oldHeight = height;
        for (var level = oldHeight; level < nodeHeight; level++) before[level] = head;
        if (nodeHeight > oldHeight) Volatile.Write(ref height, nodeHeight);

        var node = Allocate(nodeHeight, checked(key.Length + value.Length));
        *(ulong*)node = sequence;
        *(int*)(node + 8) = key.Length;
        *(int*)(node + 12) = value.Length;
        node[16] = (byte)kind;
        node[17] = (byte)nodeHeight;
        var keyStart = node + NextOffset + (nodeHeight * sizeof(nint));
        key.CopyTo(new Span<byte>(keyStart, key.Length));
        value.CopyTo(new Span<byte>(keyStart + key.Length, value.Length));
        // What lies behind the node is as new as the link was that it cuts in two, or a little older. A level that is new has no note yet.
        for (var level = FirstNoted; level < nodeHeight; level++)
            NewestOf(node, level) = level < oldHeight || !isTracking ? NewestOf(before[level], level) : sequence;
        if (!isTracking)
        {
            newestUntracked = Math.Max(newestUntracked, sequence);
        }
        else
        {
            for (var level = FirstNoted; level < height; level++)
                Volatile.Write(ref NewestOf(before[level], level), Math.Max(sequence, NewestOf(before[level], level)));
        }

        for (var level = 0; level < nodeHeight; level++)
        {
            *(byte**)(node + NextOffset + (level * sizeof(nint))) = Next(before[level], level);
            Volatile.Write(ref *(nint*)(before[level] + NextOffset + (level * sizeof(nint))), (nint)node);
        }

        return next != null && KeyOf(next).SequenceEqual(key) ? next : null;
    }

    /// <summary>Some of the nodes, by chance, in order: of all, if there are no more, else so many or a few times as many.</summary>
    /// <remarks>How high a node is, is chance, and says nothing of its entry.</remarks>
    public List<nint> Sample(int atLeast)
    {
        var nodes = new List<nint>();
        for (var level = Volatile.Read(ref height) - 1; level >= 0 && nodes.Count < atLeast; level--)
        {
            nodes.Clear();
            for (var node = Next(head, level); node != null; node = Next(node, level)) nodes.Add((nint)node);
        }

        return nodes;
    }

    /// <summary>The first node at or after (key, sequence), or null.</summary>
    public byte* FindAtLeast(ReadOnlySpan<byte> key, ulong sequence)
    {
        FindLess(key, sequence, null, out var next);
        return next;
    }

    /// <summary>The last node before (key, sequence), or null.</summary>
    public byte* FindBefore(ReadOnlySpan<byte> key, ulong sequence)
    {
        var node = FindLess(key, sequence, null, out _);
        return node == head ? null : node;
    }

    public byte* FindLast()
    {
        var node = head;
        for (var level = Volatile.Read(ref height) - 1; level >= 0; level--)
        {
            for (var next = Next(node, level); next != null; next = Next(node, level)) node = next;
        }

        return node == head ? null : node;
    }

    public void Free() => arena.Free();

    byte* Allocate(int nodeHeight, int contentBytes)
    {
        var noted = Math.Max(0, nodeHeight - FirstNoted) * sizeof(ulong);
        return arena.Allocate(checked(noted + NextOffset + (nodeHeight * sizeof(nint)) + contentBytes)) + noted;
    }

    static ref ulong NewestOf(byte* node, int level) => ref *(ulong*)(node - (sizeof(ulong) * (level - FirstNoted + 1)));

    // The successor is the node that was compared, not one read anew: a writer may link a smaller one in between.
    byte* FindLess(ReadOnlySpan<byte> key, ulong sequence, byte** before, out byte* next)
    {
        next = null;
        var node = head;
        byte* known = null;
        for (var level = Volatile.Read(ref height) - 1; level >= 0; level--)
        {
            while (true)
            {
                next = Next(node, level);
                // A node that was too large one level above need not be compared again.
                if (next == null || next == known || EntryOrder.Compare(KeyOf(next), SequenceOf(next), key, sequence) >= 0)
                {
                    known = next;
                    break;
                }

                node = next;
            }

            if (before != null) before[level] = node;
        }

        return node;
    }

    int RandomHeight()
    {
        // Marsaglia's xorshift: shape only, no secrecy. Each level holds a quarter of the one below.
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        var result = 1;
        for (var bits = random; result < MaxHeight && (bits & 3) == 0; bits >>= 2) result++;
        return result;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static byte* Next(byte* node, int level) =>
        (byte*)Volatile.Read(ref *(nint*)(node + NextOffset + (level * sizeof(nint))));
}
