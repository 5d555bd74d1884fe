using System.Globalization;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Archive;

/// <summary>A file of an archive, as its name tells.</summary>
readonly record struct ArchiveFile(ulong Number, string Name);

/// <summary>Names in an archive of the log, and reading and writing of its parts.</summary>
sealed class ArchiveDirectory(IFileSystem fileSystem, string path)
{
    const string Prefix = "part-";
    const string NewSuffix = ".new";

    public IFileSystem FileSystem { get; } = fileSystem;

    public string Path { get; } = path;

    /// <summary>Held by the store that archives here, as long as it does.</summary>
    public string LockPath => PathOf("LOCK");

    /// <summary>Held by who deletes parts, shared by who reads them.</summary>
    public string PruneLockPath => PathOf("PRUNE.LOCK");

    public static string NameOf(ArchivePart part) =>
        string.Create(CultureInfo.InvariantCulture, $"{Prefix}{part.Number:d8}-{part.SegmentId:d6}-{part.Nonce:x16}");

    public string PathOf(string name) => $"{Path}/{name}";

    /// <summary>All parts by number. Several with one number are of several histories.</summary>
    public List<ArchiveFile> Files()
    {
        FileSystem.RequireDirectory(Path, "archive of a log");
        var files = new List<ArchiveFile>();
        foreach (var name in FileSystem.List(Path))
        {
            if (IsPart(name, out var number)) files.Add(new(number, name));
        }

        files.Sort(static (a, b) => a.Number != b.Number ? a.Number.CompareTo(b.Number) : string.CompareOrdinal(a.Name, b.Name));
        return files;
    }

    /// <summary>Reads the head of a part.</summary>
    /// <exception cref="CorruptDataException">It is damaged, or the file is named as another part.</exception>
    public ArchivePart ReadHead(ArchiveFile file)
    {
        using var opened = FileSystem.Open(PathOf(file.Name), FileOpenMode.ReadOnly);
        return ReadHead(opened, file);
    }

    public static ArchivePart ReadHead(IFile opened, ArchiveFile file)
    {
        Span<byte> head = stackalloc byte[ArchivePart.HeadBytes];
        var part = ArchivePart.Decode(head[..opened.Read(head, 0)], opened.LengthBytes, opened.Path);
        return NameOf(part) == file.Name
            ? part
            : throw new CorruptDataException(opened.Path, 48, $"the name is not that of the part, which is {NameOf(part)}");
    }

    /// <summary>The file that a part is written to before it counts.</summary>
    public string NewPathOf(ArchivePart part) => PathOf(NameOf(part) + NewSuffix);

    /// <summary>Gives a part its name. Its content is durable by then.</summary>
    public void Install(ArchivePart part)
    {
        FileSystem.Rename(NewPathOf(part), PathOf(NameOf(part)));
        FileSystem.SyncDirectory(Path);
    }

    /// <summary>Deletes parts that were being written when the store stopped.</summary>
    public void DeleteLeftovers()
    {
        foreach (var name in FileSystem.List(Path))
        {
            if (name.EndsWith(NewSuffix, StringComparison.Ordinal) && IsPart(name[..^NewSuffix.Length], out _))
                FileSystem.Delete(PathOf(name));
        }
    }

    public LogArchiveException Problem(LogArchiveProblem problem, string description) => new(Path, problem, description);

    public LogArchiveException Ended() => Problem(LogArchiveProblem.Gap, "archiving has ended");

    static bool IsPart(string name, out ulong number)
    {
        number = 0;
        var fields = name.Split('-');
        return fields is ["part", { Length: >= 8 }, { Length: >= 6 }, { Length: 16 }]
            && ulong.TryParse(fields[1], NumberStyles.None, CultureInfo.InvariantCulture, out number)
            && ulong.TryParse(fields[2], NumberStyles.None, CultureInfo.InvariantCulture, out _)
            && ulong.TryParse(fields[3], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out _);
    }
}
