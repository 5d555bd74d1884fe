namespace Ashlar.CommandLine;

/// <summary>What SIGHUP does: it ends the program, unless a command handles it.</summary>
sealed class HangUp
{
    volatile Action? handler;

    /// <summary>What is called instead of ending; null where it ends the program.</summary>
    public Action? Handler
    {
        get => handler;
        set => handler = value;
    }
}
