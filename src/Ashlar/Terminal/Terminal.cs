using System.Text;
using Ashlar.Storage;

namespace Ashlar.CommandLine;

/// <summary>Where the program was called: streams, environment, what is a terminal. Tests bring their own.</summary>
sealed class Terminal
{
    /// <summary>Enough for a screen; a command that writes more writes in pieces.</summary>
    const int BufferCharacters = 16 << 10;

    /// <summary>Data.</summary>
    public required TextWriter Out { get; init; }

    /// <summary>Messages for people.</summary>
    public required TextWriter Error { get; init; }

    /// <summary>Answers to questions.</summary>
    public TextReader In
    {
        get => field ??= new StreamReader(OpenIn());
        init;
    }

    /// <summary>Standard output as bytes.</summary>
    public Func<Stream> OpenOut { get; init; } = () => new StandardOutput(StandardDescriptors.Out);

    /// <summary>Standard input as bytes.</summary>
    public Func<Stream> OpenIn { get; init; } = () => new StandardInput();

    public bool OutIsTerminal { get; init; }

    /// <summary>Whether <see cref="Out"/> is a terminal that can be written over.</summary>
    public bool OutIsScreen => OutIsTerminal && TakesEscapes;

    /// <summary>Whether nobody reads <see cref="Out"/> any more.</summary>
    public Func<bool> OutIsClosed { get; init; } = () => false;

    public bool ErrorIsTerminal { get; init; }

    public bool InIsTerminal { get; init; }

    /// <summary>Whether a person is there.</summary>
    public bool IsThere => InIsTerminal || OutIsTerminal || ErrorIsTerminal;

    /// <summary>What SIGHUP does.</summary>
    public HangUp HangUp { get; } = new();

    /// <summary>Columns of the terminal that <see cref="Out"/> is; null where it is none.</summary>
    public int? Width { get; init; }

    /// <summary>How this user starts the program.</summary>
    public string Program => field ??= FindProgram();

    public Func<string> FindProgram { private get; init; } = () => ProgramName.Installed;

    /// <summary>An environment variable, or null; an empty one counts as absent.</summary>
    public required Func<string, string?> Environment { get; init; }

    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    public IEntropySource Entropy { get; init; } = SystemEntropy.Instance;

    /// <summary>The terminal of this process.</summary>
    /// <remarks>Without the streams of <see cref="Console"/>, which switch a terminal to another mode and leave it so.</remarks>
    public static Terminal OfProcess() => new()
    {
        // What is not seen at once is written in pieces, and at the latest when the command ends.
        Out = new StreamWriter(new StandardOutput(StandardDescriptors.Out), new UTF8Encoding(false), BufferCharacters)
        {
            AutoFlush = !Console.IsOutputRedirected,
        },
        Error = TextWriter.Synchronized(new StreamWriter(new MessageOutput(), new UTF8Encoding(false)) { AutoFlush = true }),
        OutIsTerminal = !Console.IsOutputRedirected,
        OutIsClosed = () => StandardOutput.IsClosed,
        ErrorIsTerminal = !Console.IsErrorRedirected,
        InIsTerminal = !Console.IsInputRedirected,
        Width = StandardDescriptors.TerminalWidth(StandardDescriptors.Out),
        FindProgram = ProgramName.OfProcess,
        Environment = name => System.Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null,
    };

    /// <summary>How to write to <see cref="Out"/>: in colour only for eyes that want it.</summary>
    public Style OutStyle => Style(OutIsTerminal);

    /// <summary>How to write to <see cref="Error"/>.</summary>
    public Style ErrorStyle => Style(ErrorIsTerminal);

    Style Style(bool isTerminal) =>
        new(isTerminal && Environment("NO_COLOR") is null && TakesEscapes);

    bool TakesEscapes => Environment("TERM") is not (null or "dumb");
}
