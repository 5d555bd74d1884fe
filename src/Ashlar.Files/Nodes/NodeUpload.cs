using Ashlar.Storage;

namespace Ashlar.Files;

/// <summary>An upload of one block to a storage node: a file without a name that counts. One caller at a time.</summary>
sealed class NodeUpload : IDisposable
{
    // So far behind the medium an upload is at its end: the rest of the sync is short, and the disk has been busy all the time.
    const int WriteBackBytes = 4 << 20;
    const int HashBytes = 1 << 20;

    readonly IFileSystem files;
    readonly string path;
    readonly IFile file;
    readonly UnitChecksums checksums = new();
    uint[]? found;
    int writtenBack;
    int isBusy;

    public NodeUpload(IFileSystem files, string path, int expectedBytes, long startedAt)
    {
        (this.files, this.path, ExpectedBytes, LastUse) = (files, path, expectedBytes, startedAt);
        file = files.Open(path, FileOpenMode.CreateNew);
    }

    /// <summary>What space is reserved for.</summary>
    public int ExpectedBytes { get; set; }

    /// <summary>What it has.</summary>
    public int LengthBytes { get; private set; }

    /// <summary>Whether nothing is appended any more.</summary>
    public bool IsFinished => found is not null;

    /// <summary>Space that it may take still: what it has written already is missing from the free space.</summary>
    public long ReservedBytes => SpaceBytes(ExpectedBytes) - LengthBytes;

    /// <summary>What a block of so many bytes takes.</summary>
    public static long SpaceBytes(int lengthBytes) => (long)lengthBytes + BlockTrailer.SizeBytes(lengthBytes);

    /// <summary>When somebody went on with it.</summary>
    public long LastUse { get; set; }

    /// <summary>Takes it for one request; false while another has it.</summary>
    public bool TryEnter() => Interlocked.Exchange(ref isBusy, 1) == 0;

    /// <summary>Lets it go.</summary>
    public void Exit() => Volatile.Write(ref isBusy, 0);

    /// <summary>Takes what comes next.</summary>
    public void Append(ReadOnlySpan<byte> content)
    {
        file.Write(content, LengthBytes);
        checksums.Append(content);
        LengthBytes += content.Length;
        if (LengthBytes - writtenBack < WriteBackBytes) return;
        file.StartWriteBack(writtenBack, LengthBytes - writtenBack);
        writtenBack = LengthBytes;
    }

    /// <summary>What the content is known by; nothing is appended any more.</summary>
    /// <param name="sent">What it was when it was sent; null to read all of it and find out.</param>
    /// <returns>Null if it is not what was sent.</returns>
    public BlockDigest? Finish(BlockDigest? sent)
    {
        found ??= checksums.Finish();
        sent ??= Hash();
        return sent.LengthBytes == LengthBytes && sent.UnitChecksums.SequenceEqual(found) ? sent : null;
    }

    /// <summary>Writes the trailer and makes all of the file durable, its name not.</summary>
    public void Seal(StoredBlock block)
    {
        file.Write(BlockTrailer.Encode(block), block.Digest.LengthBytes);
        file.Sync();
    }

    /// <summary>Deletes the file, as far as that is possible; what is left goes when the node is opened.</summary>
    public void Delete()
    {
        Dispose();
        try
        {
            files.Delete(path);
        }
        catch (StorageException)
        {
            // Nobody takes it for a block.
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        file.Dispose();
    }

    // Of what was written, not of what came: that it is the same is seen by the checksums.
    BlockDigest Hash()
    {
        using var hasher = new BlockHasher();
        var buffer = new byte[Math.Min(HashBytes, LengthBytes)];
        for (var done = 0; done < LengthBytes; done += buffer.Length)
        {
            var part = buffer.AsSpan(0, Math.Min(buffer.Length, LengthBytes - done));
            hasher.Append(part[..file.Read(part, done)]);
        }

        return hasher.Finish();
    }
}
