using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Ashlar.Storage;

namespace Ashlar.Blocks.FileSystem;

/// <summary>
/// The metadata as a reader of the log would find them: what every committed change has made of them, and nothing else. Changes reach it as
/// bytes, whether they come from the device or are on their way to it.
/// </summary>
sealed class MetadataImage(string device, long unitCount, int unitBytes)
{
    /// <summary>Largest file: 1 PiB.</summary>
    public const long MaxFileBytes = 1L << 50;

    static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    readonly Dictionary<long, ImageNode> nodes = new() { [ChangeFormat.RootInode] = new ImageNode(true) };

    public IReadOnlyDictionary<long, ImageNode> Nodes => nodes;

    public long UnitCount { get; set; } = unitCount;

    /// <summary>Carries out changes.</summary>
    /// <param name="changes">The bytes.</param>
    /// <param name="offsetBytes">Where on the device they lie, for messages.</param>
    /// <exception cref="CorruptDataException">They make no sense; a part may have been carried out.</exception>
    public void Apply(ReadOnlySpan<byte> changes, long offsetBytes)
    {
        while (!changes.IsEmpty)
        {
            var used = ApplyOne(changes, offsetBytes);
            changes = changes[used..];
            offsetBytes += used;
        }
    }

    /// <summary>All of it as changes to an empty one.</summary>
    public ArrayBufferWriter<byte> ToCheckpoint()
    {
        var target = new ArrayBufferWriter<byte>(4096);
        foreach (var (inode, node) in nodes)
        {
            if (inode != ChangeFormat.RootInode) ChangeFormat.WriteCreate(target, inode, node.Names is not null);
            if (node.Names is null) ChangeFormat.WriteFile(target, inode, node.LengthBytes, node.Extents.Extents);
        }

        foreach (var (inode, node) in nodes)
        {
            if (node.Names is null) continue;
            foreach (var (name, child) in node.Names) ChangeFormat.WriteName(target, inode, name, child);
        }

        return target;
    }

    /// <summary>The inodes that a path leads to.</summary>
    /// <exception cref="CorruptDataException">A name stands for nothing, or two stand for one inode.</exception>
    public HashSet<long> FindReachable()
    {
        var reached = new HashSet<long> { ChangeFormat.RootInode };
        var waiting = new Stack<long>(reached);
        while (waiting.TryPop(out var directory))
        {
            foreach (var (name, inode) in nodes[directory].Names!)
            {
                if (!nodes.TryGetValue(inode, out var node)) throw Damaged(0, $"name {name} stands for inode {inode}, which is not there");
                if (!reached.Add(inode)) throw Damaged(0, $"two names stand for inode {inode}");
                if (node.Names is not null) waiting.Push(inode);
            }
        }

        return reached;
    }

    /// <summary>Takes the units of all files out of what is free.</summary>
    /// <exception cref="CorruptDataException">Two files have one unit, or a file has one of the file system's own.</exception>
    public void TakeUnits(UnitMap units)
    {
        foreach (var (inode, node) in nodes)
        {
            foreach (var extent in node.Extents.Extents)
            {
                if (units.TryTake(extent.Run) is { } twice)
                    throw Damaged(twice * unitBytes, $"unit {twice} belongs to inode {inode} and to something else");
            }
        }
    }

    int ApplyOne(ReadOnlySpan<byte> changes, long offset)
    {
        if (changes.Length < ChangeFormat.RemoveBytes) throw Damaged(offset, "a change is cut off");
        var inode = BinaryPrimitives.ReadInt64LittleEndian(changes[1..]);
        if (inode < ChangeFormat.RootInode) throw Damaged(offset, $"inode {inode}");
        switch (changes[0])
        {
            case ChangeFormat.Create when changes.Length >= ChangeFormat.CreateBytes:
                if (changes[9] > 1) throw Damaged(offset, $"inode {inode} is of kind {changes[9]}");
                if (inode == long.MaxValue || !nodes.TryAdd(inode, new ImageNode(changes[9] == 1)))
                    throw Damaged(offset, $"inode {inode} comes to be twice");
                return ChangeFormat.CreateBytes;
            case ChangeFormat.Remove:
                if (inode == ChangeFormat.RootInode || !nodes.Remove(inode)) throw Damaged(offset, $"inode {inode} cannot go");
                return ChangeFormat.RemoveBytes;
            case ChangeFormat.Name when changes.Length >= ChangeFormat.NameBytes:
                return SetName(changes, inode, offset);
            case ChangeFormat.File when changes.Length >= ChangeFormat.FileBytes:
                return SetFile(changes, inode, offset);
            default:
                throw Damaged(offset, $"a change of kind {changes[0]}, or one that is cut off");
        }
    }

    int SetName(ReadOnlySpan<byte> changes, long directory, long offset)
    {
        var inode = BinaryPrimitives.ReadInt64LittleEndian(changes[9..]);
        int count = BinaryPrimitives.ReadUInt16LittleEndian(changes[17..]);
        if (count is 0 or > ChangeFormat.MaxNameBytes || count > changes.Length - ChangeFormat.NameBytes)
            throw Damaged(offset, $"a name of {count} bytes");
        var bytes = changes.Slice(ChangeFormat.NameBytes, count);
        if (bytes.ContainsAny((byte)'/', (byte)0) || bytes.SequenceEqual("."u8) || bytes.SequenceEqual(".."u8))
            throw Damaged(offset, "a name that is none");
        if (!nodes.TryGetValue(directory, out var node) || node.Names is null) throw Damaged(offset, $"inode {directory} is no directory");
        string name;
        try
        {
            name = StrictUtf8.GetString(bytes);
        }
        catch (ArgumentException)
        {
            throw Damaged(offset, "a name that is not UTF-8");
        }

        if (inode == 0) node.Names.Remove(name);
        else if (nodes.ContainsKey(inode) && inode != ChangeFormat.RootInode) node.Names[name] = inode;
        else throw Damaged(offset, $"name {name} stands for inode {inode}");
        return ChangeFormat.NameBytes + count;
    }

    int SetFile(ReadOnlySpan<byte> changes, long inode, long offset)
    {
        var length = BinaryPrimitives.ReadInt64LittleEndian(changes[9..]);
        var count = BinaryPrimitives.ReadInt32LittleEndian(changes[17..]);
        if (!nodes.TryGetValue(inode, out var node) || node.Names is not null) throw Damaged(offset, $"inode {inode} is no file");
        if (length is < 0 or > MaxFileBytes) throw Damaged(offset, $"inode {inode} has {length} bytes");
        if (count < 0 || count > (changes.Length - ChangeFormat.FileBytes) / ChangeFormat.RangeBytes)
            throw Damaged(offset, $"inode {inode} has {count} ranges");
        for (var i = 0; i < count; i++)
        {
            var place = changes[(ChangeFormat.FileBytes + (ChangeFormat.RangeBytes * i))..];
            var fileUnit = BinaryPrimitives.ReadInt64LittleEndian(place);
            var units = BinaryPrimitives.ReadInt64LittleEndian(place[8..]);
            var unit = BinaryPrimitives.ReadInt64LittleEndian(place[16..]);
            var maxUnits = MaxFileBytes / unitBytes;
            if (fileUnit < 0 || units < 1 || fileUnit > maxUnits || units > maxUnits - fileUnit
                || unit < -1 || (unit >= 0 && (unit > UnitCount || units > UnitCount - unit)))
                throw Damaged(offset, $"inode {inode} has {units} units at {fileUnit} in unit {unit} of {UnitCount}");
            node.Extents.Clear(fileUnit, units, static _ => { });
            if (unit >= 0) node.Extents.Set(fileUnit, new UnitRun(unit, units));
        }

        node.LengthBytes = length;
        return ChangeFormat.FileBytes + (ChangeFormat.RangeBytes * count);
    }

    CorruptDataException Damaged(long offset, string problem) => new(device, offset, $"metadata of a file system: {problem}");
}

/// <summary>A file or directory, as it is committed.</summary>
sealed class ImageNode(bool isDirectory)
{
    public SortedDictionary<string, long>? Names { get; } = isDirectory ? new(StringComparer.Ordinal) : null;

    public ExtentMap Extents { get; } = new();

    public long LengthBytes { get; set; }
}
