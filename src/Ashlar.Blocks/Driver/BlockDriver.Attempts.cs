using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Blocks;

// Attempts, and the book-keeping of how requests end.
public sealed partial class BlockDriver
{
    /// <summary>Waits for an attempt that was issued; while it fails transiently, issues the next.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask AttemptAsync(
        ValueTask pending,
        DriverRequest request,
        long startedAt,
        CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await pending.ConfigureAwait(false);
                return;
            }
            catch (BlockDeviceException e) when (MayRetry(request.Operation, attempt, e))
            {
                counters.Retried(request.Operation);
                AddLogEntry(DriverLogEvent.Retried, request, attempt, startedAt, e);
            }
            catch (Exception e) when (e is not (OperationCanceledException or NotSupportedException))
            {
                counters.Failed(request.Operation);
                AddLogEntry(DriverLogEvent.Failed, request, attempt, startedAt, e);
                switch (e)
                {
                    case BlockDeviceException { IsTransient: true } last when attempt == maxAttempts && attempt > 1:
                        throw new RetriesExhaustedException(Device.Name, attempt, last);
                    case StorageException:
                        throw new DeviceIOException(Device.Name, e.Message, isTransient: false, e);
                    default:
                        throw;
                }
            }
            pending = request.Issue(Device, cancellationToken);
        }
    }

    bool MayRetry(DriverOperation operation, int attempt, BlockDeviceException failure) =>
        failure.IsTransient && attempt < maxAttempts && operation != DriverOperation.Flush;

    void Completed(in DriverRequest request, long startedAt) => Completed(
        request.Operation,
        request.Start.ToOffsetBytes(blockSizeBytes),
        request.LengthBytes(blockSizeBytes),
        startedAt);

    void Completed(DriverOperation operation, long offsetBytes, long lengthBytes, long startedAt)
    {
        counters.Completed(operation, lengthBytes, timeProvider.GetTimestamp() - startedAt);
        if (logOperations)
            AddLogEntry(DriverLogEvent.Completed, operation, offsetBytes, lengthBytes, 1, startedAt, error: null);
    }

    ValueTask OutOfBounds(DriverOperation operation, in BlockGeometry geometry, long offsetBytes, long lengthBytes) =>
        Refused(
            operation,
            offsetBytes,
            lengthBytes,
            new OutOfBoundsException(Device.Name, offsetBytes, lengthBytes, geometry));

    ValueTask ReadOnly(DriverOperation operation, long offsetBytes, long lengthBytes) =>
        Refused(operation, offsetBytes, lengthBytes, new DeviceReadOnlyException(Device.Name));

    /// <summary>Counts and logs a request that never reaches the device.</summary>
    internal ValueTask Refused(DriverOperation operation, long offsetBytes, long lengthBytes, BlockDeviceException error)
    {
        counters.Failed(operation);
        AddLogEntry(DriverLogEvent.Failed, operation, offsetBytes, lengthBytes, 1, timeProvider.GetTimestamp(), error);
        return ValueTask.FromException(error);
    }

    void AddLogEntry(DriverLogEvent logEvent, in DriverRequest request, int attempt, long startedAt, Exception error) =>
        AddLogEntry(
            logEvent,
            request.Operation,
            request.Start.ToOffsetBytes(blockSizeBytes),
            request.LengthBytes(blockSizeBytes),
            attempt,
            startedAt,
            error);

    void AddLogEntry(
        DriverLogEvent logEvent,
        DriverOperation operation,
        long offsetBytes,
        long lengthBytes,
        int attempt,
        long startedAt,
        Exception? error)
    {
        var entry = new DriverLogEntry(
            timeProvider.GetUtcNow(),
            logEvent,
            operation,
            offsetBytes,
            lengthBytes,
            attempt,
            timeProvider.GetElapsedTime(startedAt),
            error);
        Log.Add(entry);
        logSink?.Invoke(entry);
    }
}
