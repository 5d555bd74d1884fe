using System.Globalization;

namespace Ashlar.Server;

/// <summary>The log: a line for what an operator wants to know, with the time in front. Requests are counted, not logged.</summary>
/// <param name="writer">Where lines go.</param>
/// <param name="timeProvider">The clock.</param>
public sealed class ServerLog(TextWriter writer, TimeProvider timeProvider)
{
    readonly Lock gate = new();

    /// <summary>Writes a line. Line breaks in it become blanks, so that no client writes lines of its own.</summary>
    public void Write(string message)
    {
        var time = timeProvider.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        lock (gate)
        {
            try
            {
                writer.WriteLine($"{time} {OneLine(message)}");
            }
            catch (IOException)
            {
                // Nobody reads the log any more; that is no reason to stop serving.
            }
        }
    }

    static string OneLine(string message) => string.Create(message.Length, message, static (target, source) =>
    {
        for (var i = 0; i < target.Length; i++) target[i] = char.IsControl(source[i]) ? ' ' : source[i];
    });
}
