using System.Globalization;

namespace Ashlar.Storage;

/// <summary>
/// A directory of numbered things, backups for instance, each of which exists if and only if its record does. What else they consist
/// of is up to who derives from this.
/// </summary>
/// <typeparam name="TRecord">The record of one.</typeparam>
/// <param name="fileSystem">The disk.</param>
/// <param name="path">The directory.</param>
public abstract class RecordDirectory<TRecord>(IFileSystem fileSystem, string path)
    where TRecord : class, INumberedRecord<TRecord>
{
    /// <summary>Behind the name of a record that is being written, or was not written to its end.</summary>
    protected const string NewSuffix = ".new";

    // What a record is renamed to when it is removed and none has a larger number: only its name counts.
    const string DeletedPrefix = "deleted-";

    // In a message.
    const int MaxListed = 5;

    /// <summary>The disk.</summary>
    public IFileSystem FileSystem { get; } = fileSystem;

    /// <summary>The directory.</summary>
    public string Path { get; } = path;

    /// <summary>Lock file: held by who changes something here, shared by who reads.</summary>
    public string LockPath => PathOf("LOCK");

    /// <summary>Path of a file in the directory.</summary>
    public string PathOf(string name) => $"{Path}/{name}";

    /// <summary>Path of a record.</summary>
    public string RecordPath(ulong number) => PathOf($"{TRecord.NamePrefix}{number:d6}");

    /// <summary>Keeps records from being changed meanwhile. A directory that cannot be written has no lock and needs none.</summary>
    /// <exception cref="LockedException">Something is being changed.</exception>
    public IDisposable? LockForReading()
    {
        if (!FileSystem.FileExists(LockPath)) return null;
        try
        {
            return FileSystem.LockShared(LockPath);
        }
        catch (LockedException locked)
        {
            throw new LockedException(LockPath, locked.OwnerProcessId, $"a {Noun} is being made or deleted here");
        }
    }

    /// <summary>Keeps everybody else from changing records, and from reading them.</summary>
    /// <exception cref="LockedException">Somebody does.</exception>
    public IDisposable LockForWriting()
    {
        try
        {
            return FileSystem.Lock(LockPath);
        }
        catch (LockedException locked)
        {
            throw new LockedException(LockPath, locked.OwnerProcessId, $"a {Noun} is being made, deleted or read here");
        }
    }

    /// <summary>Numbers of all records, oldest first.</summary>
    public IReadOnlyList<ulong> Numbers() => Numbers(TRecord.NamePrefix);

    /// <summary>The number that the next record gets: larger than any that was ever given.</summary>
    public ulong NextNumber() => Math.Max(Numbers().LastOrDefault(), Numbers(DeletedPrefix).LastOrDefault()) + 1;

    /// <summary>Reads a record.</summary>
    /// <exception cref="CorruptDataException">It is damaged.</exception>
    /// <exception cref="StorageException">There is none of that number, or the disk refused.</exception>
    public TRecord ReadRecord(ulong number)
    {
        RequireRecord(number);
        using var file = FileSystem.Open(RecordPath(number), FileOpenMode.ReadOnly);
        var record = TRecord.Decode(file.ReadWhole(), file.Path);
        return record.Number == number
            ? record
            : throw new CorruptDataException(file.Path, TRecord.NumberOffset, $"this is the record with number {record.Number}");
    }

    /// <summary>Reads all records, oldest first; of one that does not hold, what is wrong with it.</summary>
    public IEnumerable<(ulong Number, TRecord? Record, CorruptDataException? Damage)> ReadRecords()
    {
        foreach (var number in Numbers())
        {
            (TRecord?, CorruptDataException?) found;
            try
            {
                found = (ReadRecord(number), null);
            }
            catch (CorruptDataException damage)
            {
                found = (null, damage);
            }

            yield return (number, found.Item1, found.Item2);
        }
    }

    /// <summary>Makes something exist: all that it needs is durable, and the record is there at once or not at all.</summary>
    public void Install(TRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        var target = RecordPath(record.Number);
        var source = target + NewSuffix;
        using (var file = FileSystem.Open(source, FileOpenMode.OpenOrCreate))
        {
            file.SetLength(0); // One that died may have left something.
            file.Write(record.Encode(), 0);
            file.Sync();
        }

        FileSystem.SyncDirectory(Path);
        FileSystem.Rename(source, target);
        FileSystem.SyncDirectory(Path);
    }

    /// <summary>Removes a record; what only it needs is left over then.</summary>
    /// <exception cref="StorageException">There is none of that number, or the disk refused.</exception>
    // Crash order: the newest record changes its name, which takes no space and happens or not; so its number stays known. Then those go
    // that were kept for the same reason before.
    public void Remove(ulong number)
    {
        RequireRecord(number);
        if (number + 1 < NextNumber())
        {
            FileSystem.Delete(RecordPath(number));
        }
        else
        {
            FileSystem.Rename(RecordPath(number), DeletedPath(number));
            FileSystem.SyncDirectory(Path);
            foreach (var older in Numbers(DeletedPrefix).Where(older => older < number)) FileSystem.Delete(DeletedPath(older));
        }

        FileSystem.SyncDirectory(Path);
    }

    static string Noun => TRecord.NamePrefix.TrimEnd('-');

    void RequireRecord(ulong number)
    {
        if (FileSystem.FileExists(RecordPath(number))) return;
        var numbers = Numbers();
        var others = numbers.Count switch
        {
            0 => "none at all",
            <= MaxListed => string.Join(", ", numbers),
            var count => $"{count}, from {numbers[0]} to {numbers[^1]}",
        };
        throw new StorageException(
            "open", RecordPath(number), StorageErrorKind.NotFound, Errno.NoEntry,
            $"there is no {Noun} {number} in {Path}; there are: {others}");
    }

    string DeletedPath(ulong number) => PathOf($"{DeletedPrefix}{number:d6}");

    List<ulong> Numbers(string prefix)
    {
        FileSystem.RequireDirectory(Path, $"directory of {Noun}s");
        var numbers = new List<ulong>();
        foreach (var name in FileSystem.List(Path))
        {
            if (name.StartsWith(prefix, StringComparison.Ordinal)
                && ulong.TryParse(name.AsSpan(prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                numbers.Add(number);
            }
        }

        numbers.Sort();
        return numbers;
    }
}
