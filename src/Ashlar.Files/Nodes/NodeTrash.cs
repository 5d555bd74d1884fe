using System.Buffers.Binary;
using System.Globalization;
using Ashlar.Storage;

namespace Ashlar.Files;

/// <summary>What was taken away from a storage node and can be put back for a while.</summary>
/// <remarks>
/// <para>How long goes by the age of the trash: the time for which the node was open since it was made. A clock on the wall that is set to
/// next year would otherwise empty the trash, and the reason for emptying blocks in error is often the reason for the clock.</para>
/// <para>The age is kept when something is purged. It may fall back in a crash, never forward: things then stay for longer.</para>
/// </remarks>
sealed class NodeTrash
{
    const string AgeName = "age";
    const int Gathered = 16_384;
    const int AgeBytes = 24, AgeDigits = 16, ChecksumAt = 20;

    readonly IFileSystem files;
    readonly NodeDirectory directory;
    readonly DirectorySyncs syncs;
    readonly TimeProvider clock;
    readonly long openedAt;
    readonly TimeSpan ageAtOpening;
    readonly Lock purging = new();
    readonly Queue<string> old = new();
    bool isMore;

    public NodeTrash(IFileSystem files, NodeDirectory directory, DirectorySyncs syncs, TimeProvider clock)
    {
        (this.files, this.directory, this.syncs, this.clock) = (files, directory, syncs, clock);
        openedAt = clock.GetTimestamp();
        var ages = List().Select(entry => entry.Age).Append(ReadAge());
        ageAtOpening = ages.Max();
    }

    static ReadOnlySpan<byte> Magic => "ASHLTAGE"u8;

    /// <summary>How old the trash is.</summary>
    public TimeSpan Age => ageAtOpening + clock.GetElapsedTime(openedAt);

    /// <summary>Takes a block away, if it is there, and the copy that is meant. Durable after <see cref="Sync(CustomerBlock)"/>.</summary>
    public bool TryAdd(CustomerBlock block, ulong? onlyMark)
    {
        lock (directory.Moving)
        {
            if (!files.FileExists(directory.FileOf(block))) return false;
            if (onlyMark is { } mark && MarkOf(block) != mark) return false;
            files.Rename(directory.FileOf(block), PathOf(block, Age));
            return true;
        }
    }

    /// <summary>Puts a block back, if it is in the trash. Durable after <see cref="Sync(CustomerBlock)"/>.</summary>
    /// <returns>Whether it is there now.</returns>
    public bool TryRestore(CustomerBlock block)
    {
        lock (directory.Moving)
        {
            if (files.FileExists(directory.FileOf(block))) return true;
            var found = List().LastOrDefault(entry => entry.Block == block);
            if (found.Path is null) return false;
            files.Rename(found.Path, directory.FileOf(block));
            return true;
        }
    }

    /// <summary>
    /// Makes durable where a block is. Also where nothing was moved: it may be there, or not, by what another request or an earlier life
    /// has not made durable.
    /// </summary>
    public void Sync(CustomerBlock block) => syncs.Sync(directory.LeafOf(block), directory.Trash);

    /// <summary>Makes durable what was purged.</summary>
    public void Sync() => syncs.Sync(directory.Trash, directory.Trash);

    /// <summary>Deletes what is older than a period. Durable after <see cref="Sync()"/>.</summary>
    public int Purge(TimeSpan period, int limit)
    {
        lock (purging)
        {
            var count = 0;
            while (count < limit)
            {
                if (old.Count == 0 && (count == 0 || isMore)) Gather(period);
                if (!old.TryDequeue(out var entry)) break;

                // Invariant: installing waits for one file that is deleted, not for a page of them.
                lock (directory.Moving)
                {
                    if (!files.FileExists(entry)) continue; // It was put back meanwhile.
                    files.Delete(entry);
                    count++;
                }
            }

            return count;
        }
    }

    // What is in the trash is listed once for many pages, and nobody waits for that: what is added meanwhile is young.
    void Gather(TimeSpan period)
    {
        var age = Age;
        foreach (var entry in List().Where(entry => age - entry.Age >= period).Take(Gathered)) old.Enqueue(entry.Path!);
        isMore = old.Count == Gathered;
    }

    /// <summary>Keeps how old the trash is.</summary>
    public void SaveAge() => WriteAge(Age);

    List<(CustomerBlock Block, TimeSpan Age, string? Path)> List()
    {
        var entries = new List<(CustomerBlock, TimeSpan, string?)>();
        foreach (var text in files.List(directory.Trash))
        {
            if (text.Length > AgeDigits
                && text[AgeDigits] == '-'
                && long.TryParse(text.AsSpan(0, AgeDigits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var age)
                && age >= 0
                && age < TimeSpan.MaxValue.TotalMilliseconds / 2
                && CustomerBlock.TryParse(text[(AgeDigits + 1)..], out var block))
                entries.Add((block, TimeSpan.FromMilliseconds(age), NodeDirectory.Join(directory.Trash, text)));
        }

        return entries;
    }

    string PathOf(CustomerBlock block, TimeSpan age) => NodeDirectory.Join(
        directory.Trash, string.Create(CultureInfo.InvariantCulture, $"{(long)age.TotalMilliseconds:x16}-{block}"));

    // 0 for a copy whose trailer is not one, null for one of a later version. An error of the disk is one of the request: then nothing is
    // known of the copy.
    ulong? MarkOf(CustomerBlock block)
    {
        using var file = files.Open(directory.FileOf(block), FileOpenMode.ReadOnly);
        try
        {
            return BlockTrailer.Read(file, block).Mark;
        }
        catch (CorruptDataException)
        {
            return 0;
        }
        catch (UnsupportedFormatException)
        {
            return null;
        }
    }

    // What cannot be read counts as young.
    TimeSpan ReadAge()
    {
        var path = NodeDirectory.Join(directory.Trash, AgeName);
        if (!files.FileExists(path)) return TimeSpan.Zero;
        using var file = files.Open(path, FileOpenMode.ReadOnly);
        var bytes = new byte[AgeBytes];
        if (file.Read(bytes, 0) != AgeBytes
            || !bytes.AsSpan().StartsWith(Magic)
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(ChecksumAt)) != Crc32C.Compute(bytes.AsSpan(0, ChecksumAt)))
            return TimeSpan.Zero;
        var milliseconds = BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(8));
        return milliseconds < 0 || milliseconds > TimeSpan.MaxValue.TotalMilliseconds / 2
            ? TimeSpan.Zero
            : TimeSpan.FromMilliseconds(milliseconds);
    }

    // Overwritten in place: a sector is written whole or not at all, and what is torn all the same has no checksum and counts as young.
    void WriteAge(TimeSpan age)
    {
        var bytes = new byte[AgeBytes];
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(8), (long)age.TotalMilliseconds);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(ChecksumAt), Crc32C.Compute(bytes.AsSpan(0, ChecksumAt)));
        using var file = files.Open(NodeDirectory.Join(directory.Trash, AgeName), FileOpenMode.OpenOrCreate);
        file.Write(bytes, 0);
    }
}
