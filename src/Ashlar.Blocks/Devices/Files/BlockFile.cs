using System.Threading.Tasks.Sources;
using Ashlar.Storage;

namespace Ashlar.Blocks.Devices;

/// <summary>
/// An area of a file that holds block contents. Reads that have to wait for the disk leave the caller's thread, unless it may wait
/// (<see cref="InlineWaits"/>).
/// </summary>
sealed class BlockFile(string device, IFile file, long areaOffsetBytes)
{
    // Failures that may pass: EINTR, EAGAIN, ENOMEM, EBUSY, ENOBUFS, ETIMEDOUT.
    static ReadOnlySpan<int> TransientErrors => [Errno.Interrupted, Errno.WouldBlock, 12, 16, 105, 110];

    // A write becomes page cache units as large as itself, and on ext4 a later small write walks every block of the
    // unit it falls into: 4 KiB over what came in 1 MiB at a time costs five times what it costs over 64 KiB. Smaller
    // pieces than these would begin to slow sequential writes down.
    const int WritePieceBytes = 64 * 1024;

    readonly WriteBack writeBack = new(file, TimeProvider.System);
    readonly Lock gate = new();
    BlockingRead? idle;

    /// <summary>See <see cref="ICachingDevice.FlushInterval"/>.</summary>
    public TimeSpan FlushInterval
    {
        get => writeBack.FlushInterval;
        set => writeBack.FlushInterval = value;
    }

    /// <summary>Reads; completes synchronously if the page cache has the bytes.</summary>
    public ValueTask ReadAsync(long offsetBytes, Memory<byte> destination)
    {
        try
        {
            if (file.TryReadCached(destination.Span, areaOffsetBytes + offsetBytes, out var bytesRead)
                && bytesRead == destination.Length)
            {
                return ValueTask.CompletedTask;
            }
            if (InlineWaits.AreAllowed)
            {
                InlineWaits.Waiting();
                ReadBlocking(offsetBytes, destination.Span);
                return ValueTask.CompletedTask;
            }
        }
        catch (StorageException e)
        {
            return ValueTask.FromException(Translate(e));
        }
        catch (BlockDeviceException e)
        {
            return ValueTask.FromException(e);
        }
        return Rent().Start(offsetBytes, destination);
    }

    public void Write(long offsetBytes, ReadOnlySpan<byte> source)
    {
        try
        {
            var position = areaOffsetBytes + offsetBytes;
            while (!source.IsEmpty)
            {
                var toBoundary = WritePieceBytes - (int)(position % WritePieceBytes);
                var piece = source[..Math.Min(source.Length, toBoundary)];
                file.Write(piece, position);
                position += piece.Length;
                source = source[piece.Length..];
            }
            writeBack.NoteWrite(areaOffsetBytes + offsetBytes, position - areaOffsetBytes - offsetBytes);
        }
        catch (StorageException e)
        {
            throw Translate(e);
        }
    }

    /// <summary>Call before the file is closed.</summary>
    public void StopWriteBack() => writeBack.Stop();

    public BlockDeviceException Translate(StorageException e) => e.Kind == StorageErrorKind.NoSpace
        ? new DeviceFullException(device, e.Message, e)
        : new DeviceIOException(device, e.Message, isTransient: TransientErrors.Contains(e.Errno), e);

    void ReadBlocking(long offsetBytes, Span<byte> destination)
    {
        try
        {
            var bytesRead = file.Read(destination, areaOffsetBytes + offsetBytes);
            if (bytesRead == destination.Length) return;
            throw new DeviceIOException(
                device,
                $"the file ends at byte {areaOffsetBytes + offsetBytes + bytesRead}, within the device",
                isTransient: false);
        }
        catch (StorageException e)
        {
            throw Translate(e);
        }
    }

    BlockingRead Rent()
    {
        lock (gate)
        {
            var read = idle ?? new BlockingRead(this);
            idle = read.Next;
            read.Next = null;
            return read;
        }
    }

    void Recycle(BlockingRead read)
    {
        lock (gate)
        {
            read.Next = idle;
            idle = read;
        }
    }

    // Used again for one read after the other, so that a read that misses the page cache allocates nothing either.
    // Its caller goes on on the thread that has read.
    sealed class BlockingRead(BlockFile owner) : IThreadPoolWorkItem, IValueTaskSource
    {
        CompletionCore source;
        long offsetBytes;
        Memory<byte> destination;

        public BlockingRead? Next { get; set; }

        public ValueTask Start(long offset, Memory<byte> target)
        {
            offsetBytes = offset;
            destination = target;
            var task = new ValueTask(this, source.Version);
            WorkerThreads.Blocking.Post(this);
            return task;
        }

        public void Execute()
        {
            try
            {
                owner.ReadBlocking(offsetBytes, destination.Span);
            }
            catch (Exception e)
            {
                source.SetException(e, null);
                return;
            }
            source.SetResult(null);
        }

        public ValueTaskSourceStatus GetStatus(short token) => source.GetStatus(token);

        public void OnCompleted(
            Action<object?> continuation,
            object? state,
            short token,
            ValueTaskSourceOnCompletedFlags flags) => source.OnCompleted(continuation, state, token, flags);

        public void GetResult(short token)
        {
            try
            {
                source.GetResult(token);
            }
            finally
            {
                source.Reset();
                destination = default;
                owner.Recycle(this);
            }
        }
    }
}
