using System.Net.Sockets;
using System.Text;

namespace Ashlar.Storage;

/// <summary>A failure as one line of a log.</summary>
public static class FailureLine
{
    const int MaxFrames = 12;

    /// <summary>
    /// What a client, the network or the disk did is told by its message. Anything else is a bug, and names its kind and where it was,
    /// innermost first.
    /// </summary>
    public static string Of(Exception failure)
    {
        ArgumentNullException.ThrowIfNull(failure);
        var line = new StringBuilder();
        if (failure is AshlarException or IOException or SocketException or OperationCanceledException or ObjectDisposedException)
            return OneLine(line.Append(failure.Message));
        line.Append(failure.GetType().Name).Append(": ").Append(failure.Message);
        for (var cause = failure.InnerException; cause is not null; cause = cause.InnerException)
            line.Append(", because of ").Append(cause.GetType().Name).Append(": ").Append(cause.Message);
        var frames = (failure.StackTrace ?? "").Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        foreach (var frame in frames.Take(MaxFrames)) line.Append(" < ").Append(Method(frame));
        return OneLine(line);
    }

    // "at Ashlar.Name.Method(String what) in /path/File.cs:line 7", less what is not needed to find it.
    static ReadOnlySpan<char> Method(string frame)
    {
        var start = frame.StartsWith("at ", StringComparison.Ordinal) ? 3 : 0;
        var end = frame.IndexOf('(', StringComparison.Ordinal);
        return frame.AsSpan(start, (end < start ? frame.Length : end) - start);
    }

    static string OneLine(StringBuilder line)
    {
        for (var i = 0; i < line.Length; i++)
            if (char.IsControl(line[i])) line[i] = ' ';
        return line.ToString();
    }
}
