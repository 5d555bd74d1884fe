namespace Ashlar.Server;

/// <summary>How lines of the log are written.</summary>
public enum LogFormat
{
    /// <summary>For people: time, level, message.</summary>
    Text = 0,

    /// <summary>For programs: a JSON object a line.</summary>
    Json,
}
