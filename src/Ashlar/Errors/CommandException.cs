using Ashlar.Storage;

namespace Ashlar.CommandLine;

/// <summary>A command cannot be carried out. Becomes one line for people, or one object for programs, and an exit code.</summary>
/// <param name="exitCode">How the program ends.</param>
/// <param name="problemType">One of <see cref="Api.ProblemTypes"/>.</param>
/// <param name="message">What went wrong, without a full stop.</param>
/// <param name="hint">What may help; a command where one does.</param>
sealed class CommandException(ExitCode exitCode, string problemType, string message, string? hint = null)
    : AshlarException(message)
{
    public ExitCode ExitCode { get; } = exitCode;

    public string ProblemType { get; } = problemType;

    public string? Hint { get; } = hint;

    /// <summary>The same with what may help, unless that is known already.</summary>
    public CommandException Hinting(string hint) => Hint is null ? new(ExitCode, ProblemType, Message, hint) { HasLines = HasLines } : this;

    /// <summary>Whether the message goes on over several lines, as that of a fault of the program does.</summary>
    public bool HasLines { get; init; }
}
