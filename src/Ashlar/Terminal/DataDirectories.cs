namespace Ashlar.CommandLine;

/// <summary>Where data is when nobody says.</summary>
static class DataDirectories
{
    /// <summary>The directory named by <c>--data</c> or ASHLAR_DATA, or else the user's own (XDG base directory specification).</summary>
    /// <exception cref="CommandException">Nothing says where, not even HOME.</exception>
    public static string Resolve(string? named, Terminal terminal)
    {
        if (named is not null) return Path.GetFullPath(named);
        // The specification: a relative XDG_DATA_HOME is to be ignored.
        if (terminal.Environment("XDG_DATA_HOME") is { } dataHome && Path.IsPathFullyQualified(dataHome))
            return Path.GetFullPath(Path.Combine(dataHome, "ashlar"));
        if (terminal.Environment("HOME") is { } home && Path.IsPathFullyQualified(home))
            return Path.GetFullPath(Path.Combine(home, ".local/share/ashlar"));
        throw Usage.Error("there is no home directory to keep data in", "name a directory by --data or ASHLAR_DATA");
    }
}
