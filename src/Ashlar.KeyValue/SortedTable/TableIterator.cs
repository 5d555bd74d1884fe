using Ashlar.KeyValue.Blocks;
using Ashlar.KeyValue.Entries;
using Ashlar.Storage;

namespace Ashlar.KeyValue.SortedTable;

/// <summary>
/// Walks a table: a position in the top index, in an index block, and in a data block. Blocks are read on demand.
/// </summary>
sealed class TableIterator(Table table, BlockSource blocks) : EntryIterator
{
    const int MinKeyBytes = 64;

    Block root;
    Block index;
    Block data;
    int rootPosition;
    int indexPosition;
    int position;

    // The key, whose beginning is what all keys of the block begin with; it stays between moves within the block.
    byte[] key = [];
    int keyLength;
    readonly byte[] place = new byte[ValuePlace.MaxStoredBytes];

    public override bool IsValid => !data.IsNone;

    public override ulong NewestOfRun => table.Info.MaxSequence;

    bool IsLastBlock => indexPosition + 1 == index.Count && rootPosition + 1 == root.Count;

    public override ReadOnlySpan<byte> Key => key.AsSpan(0, keyLength);

    public override ulong Sequence => data.SequenceAt(position);

    public override EntryKind Kind => data.KindAt(position);

    public override ReadOnlySpan<byte> Value => data.StoredAt(position, place);

    public override void SeekToFirst()
    {
        OpenIndex(0);
        OpenData(0);
        MoveTo(0);
    }

    public override void SeekToLast()
    {
        OpenRoot();
        OpenIndex(root.Count - 1);
        OpenData(index.Count - 1);
        MoveTo(data.Count - 1);
    }

    public override void Seek(ReadOnlySpan<byte> key, ulong sequence)
    {
        OpenRoot();
        data = default;
        var at = root.Find(key, sequence);
        if (at == root.Count) return;
        OpenIndex(at);
        at = index.Find(key, sequence);
        // What names an index block in the top index names the last block in it.
        if (at == index.Count)
            throw new CorruptDataException(
                table.Path, table.PartitionAt(root, rootPosition).Index.Offset, "an index block ends before what it is named by");
        OpenData(at);
        var found = data.Find(key, sequence);
        if (found < data.Count)
        {
            MoveTo(found);
            return;
        }

        // Between the block's last entry and what separates it from the next, which there is: the last one is named by its last entry.
        if (table.Footer.Version < TableFooter.SeparatorVersion || IsLastBlock)
        {
            data = default;
            throw new CorruptDataException(
                table.Path, table.HandleAt(index, indexPosition).Offset, "a block ends before the entry that it is named by");
        }

        position = data.Count - 1;
        Next();
    }

    public override void Next()
    {
        if (position + 1 < data.Count)
        {
            MoveTo(position + 1);
            return;
        }

        data = default;
        if (indexPosition + 1 < index.Count)
        {
            OpenData(indexPosition + 1);
            MoveTo(0);
        }
        else if (rootPosition + 1 < root.Count)
        {
            OpenIndex(rootPosition + 1);
            OpenData(0);
            MoveTo(0);
        }
    }

    public override void Previous()
    {
        if (position > 0)
        {
            MoveTo(position - 1);
            return;
        }

        data = default;
        if (indexPosition > 0)
        {
            OpenData(indexPosition - 1);
            MoveTo(data.Count - 1);
        }
        else if (rootPosition > 0)
        {
            OpenIndex(rootPosition - 1);
            OpenData(index.Count - 1);
            MoveTo(data.Count - 1);
        }
    }

    public override bool IsRunBefore(byte[]? key) => key is null || table.Info.LargestKey.AsSpan().SequenceCompareTo(key) < 0;

    public override bool IsRunFrom(byte[]? key) => key is null || table.Info.SmallestKey.AsSpan().SequenceCompareTo(key) >= 0;

    public override void NextRun() => data = default;

    public override void PreviousRun() => data = default;

    public override void Close()
    {
        data = index = root = default;
        blocks.Close();
    }

    void OpenRoot()
    {
        if (root.IsNone) root = blocks.Root();
    }

    void OpenIndex(int at)
    {
        OpenRoot();
        data = default;
        index = default;
        index = blocks.Index(root, at);
        rootPosition = at;
    }

    void OpenData(int at)
    {
        data = default;
        data = blocks.Data(table.HandleAt(index, at));
        indexPosition = at;
        keyLength = 0;
        AppendToKey(data.Prefix);
    }

    void MoveTo(int at)
    {
        position = at;
        keyLength = data.Prefix.Length;
        AppendToKey(data.SuffixAt(at));
    }

    void AppendToKey(ReadOnlySpan<byte> part)
    {
        var length = keyLength + part.Length;
        if (length > key.Length) Array.Resize(ref key, Math.Max(MinKeyBytes, 2 * length));
        part.CopyTo(key.AsSpan(keyLength));
        keyLength = length;
    }
}
