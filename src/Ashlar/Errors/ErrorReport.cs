using System.Text.Json;
using Ashlar.Api;
using Ashlar.Storage;

namespace Ashlar.CommandLine;

/// <summary>Turns what went wrong into a message on stderr and an exit code.</summary>
static class ErrorReport
{
    public static ExitCode Write(Terminal terminal, OutputFormat format, Exception error) =>
        Write(terminal, format, Describe(error));

    public static ExitCode Write(Terminal terminal, OutputFormat format, CommandException error)
    {
        try
        {
            if (format == OutputFormat.Json)
            {
                terminal.Error.WriteLine(JsonSerializer.Serialize(ToProblem(error), ApiJson.Strict.Problem));
            }
            else
            {
                var message = error.HasLines ? error.Message : ScreenText.Of(error.Message);
                terminal.Error.WriteLine($"{terminal.ErrorStyle.Bad("error:")} {message}");
                if (error.Hint is { } hint) terminal.Error.WriteLine($"{terminal.ErrorStyle.Dim("hint:")} {ScreenText.Of(hint)}");
            }
        }
        catch (IOException)
        {
            // Nobody can be told; the exit code says it.
        }
        return error.ExitCode;
    }

    /// <summary>
    /// Every typed error of the layers below has its exit code here; the rest is a failure, by its message. It knows no layer above
    /// storage: a command that fails loads none that it did not use.
    /// </summary>
    public static CommandException Describe(Exception error) => error switch
    {
        CommandException known => known,
        LockedException e => new(ExitCode.Conflict, ProblemTypes.InUse, e.Message),
        CorruptDataException e => new(ExitCode.Damaged, ProblemTypes.Corrupt, e.Message),
        StorageException { Kind: StorageErrorKind.AccessDenied } e =>
            new(ExitCode.PermissionDenied, ProblemTypes.PermissionDenied, e.Message),
        StorageException { Kind: StorageErrorKind.NotFound } e => new(ExitCode.NotFound, ProblemTypes.Failed, e.Message),
        StorageException { Kind: StorageErrorKind.AlreadyExists } e => new(ExitCode.Conflict, ProblemTypes.Exists, e.Message),
        StorageException { Kind: StorageErrorKind.NoSpace } e => new(ExitCode.Failed, ProblemTypes.NoSpace, e.Message),
        IClassifiedFailure { FailureClass: not FailureClass.Failed } e => Describe(e.FailureClass, error.Message),
        AshlarException e => new(ExitCode.Failed, ProblemTypes.Failed, e.Message),
        NotSupportedException e => new(ExitCode.Failed, ProblemTypes.Failed, e.Message),
        InputException or OutputException => new(ExitCode.Failed, ProblemTypes.Failed, error.Message),
        OperationCanceledException => new(ExitCode.Cancelled, ProblemTypes.Failed, "cancelled"),
        _ => new(ExitCode.Failed, ProblemTypes.Failed, $"unexpected: {error}") { HasLines = true },
    };

    static CommandException Describe(FailureClass failure, string message) => failure switch
    {
        FailureClass.InvalidRequest => new(ExitCode.Usage, ProblemTypes.Usage, message),
        FailureClass.NotFound => new(ExitCode.NotFound, ProblemTypes.Failed, message),
        FailureClass.Conflict => new(ExitCode.Conflict, ProblemTypes.InvalidRequest, message),
        FailureClass.Damaged => new(ExitCode.Damaged, ProblemTypes.Corrupt, message),
        FailureClass.NoSpace => new(ExitCode.Failed, ProblemTypes.NoSpace, message),
        _ => new(ExitCode.Failed, ProblemTypes.Failed, message),
    };

    static Problem ToProblem(CommandException error) => new()
    {
        Type = error.ProblemType,
        Title = error.ExitCode switch
        {
            ExitCode.Usage => "The command line is not valid",
            ExitCode.PermissionDenied => "Permission denied",
            ExitCode.NotFound => "Not found",
            ExitCode.Conflict => "Conflict",
            ExitCode.Unreachable => "The server is not reachable",
            ExitCode.Damaged => "Damaged data",
            ExitCode.Cancelled => "Cancelled",
            _ => "Failed",
        },
        Status = error.ExitCode switch
        {
            ExitCode.Usage => 400,
            ExitCode.PermissionDenied => 403,
            ExitCode.NotFound => 404,
            ExitCode.Conflict => 409,
            ExitCode.Unreachable => 503,
            _ => 500,
        },
        Detail = error.Message,
        Hint = error.Hint,
        ExitCode = (int)error.ExitCode,
    };
}
