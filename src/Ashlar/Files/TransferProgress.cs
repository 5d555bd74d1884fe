using System.Globalization;

namespace Ashlar.CommandLine;

/// <summary>A bar on the terminal, over the same line: how much of some files has passed, how fast, and what is left. Any thread.</summary>
sealed class TransferProgress(Invocation invocation, string what)
{
    const int BarWidth = 24, LineWidth = 79;

    static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    readonly TimeProvider time = invocation.Terminal.TimeProvider;
    readonly long begin = invocation.Terminal.TimeProvider.GetTimestamp();
    readonly Lock gate = new();
    TimeSpan told;
    long doneBytes, totalBytes, doneFiles, totalFiles;
    bool isOpen; // Whether there is more to come than is known: then nobody can say what is left.

    bool IsSeen => invocation.Terminal.ErrorIsTerminal && !invocation.IsQuiet;

    /// <summary>There is a file more to do; null where nobody knows how long it is.</summary>
    public void Expect(long? bytes)
    {
        lock (gate)
        {
            totalFiles++;
            if (bytes is { } known) totalBytes += known;
            else isOpen = true;
        }
    }

    /// <summary>So many bytes have passed.</summary>
    public void Pass(int bytes)
    {
        lock (gate)
        {
            doneBytes += bytes;
            var now = time.GetElapsedTime(begin);
            if (!IsSeen || now - told < Interval) return;
            told = now;
            invocation.Terminal.Error.Write($"\r{Line(now).PadRight(LineWidth)}");
        }
    }

    /// <summary>A file is done.</summary>
    public void EndFile()
    {
        lock (gate) doneFiles++;
    }

    /// <summary>Clears the line.</summary>
    public void End()
    {
        lock (gate)
        {
            if (told > TimeSpan.Zero) invocation.Terminal.Error.Write($"\r{new string(' ', LineWidth)}\r");
            told = TimeSpan.Zero;
        }
    }

    string Line(TimeSpan now)
    {
        var rate = (long)(doneBytes / Math.Max(0.001, now.TotalSeconds));
        var files = totalFiles > 1 ? string.Create(CultureInfo.InvariantCulture, $", file {doneFiles + 1} of {totalFiles}") : "";
        if (isOpen || totalBytes == 0) return $"{what} {ByteSize.Format(doneBytes)}, {ByteSize.Format(rate)}/s{files}";
        var part = Math.Min(1, (double)doneBytes / totalBytes);
        var filled = (int)(part * BarWidth);
        var left = rate > 0 ? Duration.Format(TimeSpan.FromSeconds((totalBytes - doneBytes) / (double)rate)) : "?";
        var bar = $"{new string('#', filled)}{new string('.', BarWidth - filled)}";
        var line = string.Create(
            CultureInfo.InvariantCulture,
            $"{what} [{bar}] {part * 100:F0} % of {ByteSize.Format(totalBytes)}, {ByteSize.Format(rate)}/s, {left} left{files}");
        return line.Length > LineWidth ? line[..LineWidth] : line;
    }
}
