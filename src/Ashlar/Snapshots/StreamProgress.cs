namespace Ashlar.CommandLine;

/// <summary>Says on a terminal, once a second and over the same line, how far something has come.</summary>
sealed class StreamProgress(Invocation invocation, string what)
{
    static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    readonly TimeProvider time = invocation.Terminal.TimeProvider;
    readonly long begin = invocation.Terminal.TimeProvider.GetTimestamp();
    TimeSpan told;

    bool IsSeen => invocation.Terminal.ErrorIsTerminal && !invocation.IsQuiet;

    public void Tell(long bytes)
    {
        var now = time.GetElapsedTime(begin);
        if (!IsSeen || now - told < Interval) return;
        told = now;
        var rate = (long)(bytes / now.TotalSeconds);
        invocation.Terminal.Error.Write($"\r{ByteSize.Format(bytes)} {what}, {ByteSize.Format(rate)}/s   ");
    }

    public void End()
    {
        if (told > TimeSpan.Zero) invocation.Terminal.Error.Write("\r");
    }
}
