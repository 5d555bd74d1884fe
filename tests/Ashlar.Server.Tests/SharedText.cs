namespace Ashlar.Server.Tests;

/// <summary>Text that one thread writes while another reads what is there so far.</summary>
sealed class SharedText
{
    readonly StringWriter text = new();

    public SharedText() => Writer = TextWriter.Synchronized(text);

    public TextWriter Writer { get; }

    public override string ToString()
    {
        lock (Writer) return text.ToString(); // It locks itself when it writes.
    }
}
