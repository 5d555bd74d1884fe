using Microsoft.Extensions.Logging;

namespace Ashlar.KeyValue.Extensions.Logging;

/// <summary>What the log hears of a store. Numbers of events never change: filters and alerts go by them.</summary>
static partial class KeyValueLog
{
    [LoggerMessage(1000, LogLevel.Information, "{Directory}: opened; {Recovery}", EventName = "Opened")]
    public static partial void Opened(ILogger logger, string directory, RecoveryReport recovery);

    [LoggerMessage(1001, LogLevel.Warning, "{Directory}: opened after it was not closed; {Recovery}", EventName = "Recovered")]
    public static partial void Recovered(ILogger logger, string directory, RecoveryReport recovery);

    [LoggerMessage(1002, LogLevel.Information, "{Directory}: closed, all of it durable", EventName = "Closed")]
    public static partial void Closed(ILogger logger, string directory);

    [LoggerMessage(1003, LogLevel.Error, "{Directory}: closed, and the last writes are in doubt", EventName = "ClosedInDoubt")]
    public static partial void ClosedInDoubt(ILogger logger, Exception failure, string directory);

    [LoggerMessage(
        1010, LogLevel.Critical, "{Directory}: every write is refused until the store is opened anew", EventName = "Poisoned")]
    public static partial void Poisoned(ILogger logger, Exception failure, string directory);

    [LoggerMessage(1020, LogLevel.Warning, "{Directory}: flushes and merges do not go on: {Problem}", EventName = "BackgroundFailed")]
    public static partial void BackgroundFailed(ILogger logger, string directory, string problem);

    [LoggerMessage(1021, LogLevel.Information, "{Directory}: flushes and merges go on again", EventName = "BackgroundGoesOn")]
    public static partial void BackgroundGoesOn(ILogger logger, string directory);

    [LoggerMessage(1030, LogLevel.Error, "{Directory}: the disk is full, so puts are refused; deletes go on", EventName = "DiskFull")]
    public static partial void DiskFull(ILogger logger, string directory);

    [LoggerMessage(1031, LogLevel.Information, "{Directory}: the disk has room, so puts are taken again", EventName = "DiskHasRoom")]
    public static partial void DiskHasRoom(ILogger logger, string directory);

    [LoggerMessage(1040, LogLevel.Warning, "{Directory}: the archive of the log is not written: {Problem}", EventName = "ArchiveFailed")]
    public static partial void ArchiveFailed(ILogger logger, string directory, string problem);

    [LoggerMessage(1041, LogLevel.Information, "{Directory}: the archive of the log is written again", EventName = "ArchiveGoesOn")]
    public static partial void ArchiveGoesOn(ILogger logger, string directory);

    [LoggerMessage(
        1050, LogLevel.Warning, "{Directory}: writers were stopped {Stalls} times since the last look, because merging is behind",
        EventName = "WritersStopped")]
    public static partial void WritersStopped(ILogger logger, string directory, long stalls);

    [LoggerMessage(1060, LogLevel.Error, "{Directory}: looking at the store for the log has failed", EventName = "LookFailed")]
    public static partial void LookFailed(ILogger logger, Exception failure, string directory);
}
