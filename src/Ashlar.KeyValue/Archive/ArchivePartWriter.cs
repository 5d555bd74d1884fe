using System.Buffers;
using Ashlar.KeyValue.Log;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Archive;

/// <summary>Writes one part: groups of one segment that follow each other.</summary>
/// <remarks>
/// Crash order: content and head are synced, then the part gets its name, then the directory is synced. It counts once it has its
/// name; only after the last step anything is done because of it.
/// </remarks>
sealed class ArchivePartWriter(ArchiveDirectory directory, ArchivePart begun) : IDisposable
{
    const int ChunkBytes = 1 << 20;

    byte[] buffer = ArrayPool<byte>.Shared.Rent(ChunkBytes);
    IFile? file;
    int buffered;
    long written = ArchivePart.HeadBytes;
    uint contentCrc = Crc32C.Compute([]);
    ArchivePart part = begun;

    /// <summary>Whether any group was added.</summary>
    public bool HasContent => file is not null;

    public void Add(in LogGroup added)
    {
        var group = added.Header;
        if (file is null)
        {
            file = directory.FileSystem.Open(directory.NewPathOf(part), FileOpenMode.CreateNew);
            part = part with { FirstSequence = group.FirstSequence, FirstCommitTime = group.CommitTime };
        }

        Append(added.Bytes);
        Span<byte> padding = stackalloc byte[LogGroupHeader.AlignmentBytes];
        padding.Clear();
        Append(padding[..(int)(group.EndOffset - group.Offset - added.Bytes.Length)]);
        part = part with
        {
            To = group.EndOffset,
            LastSequence = group.LastSequence,
            LastCommitTime = group.CommitTime,
            EndHeadCrc = added.HeaderCrc,
        };
    }

    /// <summary>Makes the part count; gives it with its checksum.</summary>
    public ArchivePart Finish(long writtenAt)
    {
        WriteOut();
        Span<byte> head = stackalloc byte[ArchivePart.HeadBytes];
        var finished = (part with { ContentCrc = contentCrc, WrittenAt = writtenAt }).Encode(head);
        file!.Write(head, 0);
        file.Sync();
        file.Dispose();
        directory.Install(finished);
        return finished;
    }

    public void Dispose()
    {
        file?.Dispose();
        if (buffer.Length == 0) return;
        ArrayPool<byte>.Shared.Return(buffer);
        buffer = [];
    }

    void Append(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var fitting = Math.Min(bytes.Length, ChunkBytes - buffered);
            bytes[..fitting].CopyTo(buffer.AsSpan(buffered));
            buffered += fitting;
            bytes = bytes[fitting..];
            if (buffered == ChunkBytes) WriteOut();
        }
    }

    void WriteOut()
    {
        var bytes = buffer.AsSpan(0, buffered);
        contentCrc = Crc32C.Append(contentCrc, bytes);
        file!.Write(bytes, written);
        written += buffered;
        buffered = 0;
    }
}
