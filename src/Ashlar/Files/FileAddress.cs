using System.Globalization;
using System.Text;

namespace Ashlar.CommandLine;

/// <summary>The path of a file in the store: absolute, with or without the slash that it begins with.</summary>
/// <param name="Path">With the slash.</param>
readonly record struct FileAddress(string Path)
{
    /// <summary>Whether it ends in a slash: then it is a directory, and what is put there lies in it.</summary>
    public bool IsDirectory => Path.EndsWith('/');

    /// <summary>The same without the slash at the end.</summary>
    public FileAddress File => new(Path.Length > 1 ? Path.TrimEnd('/') : Path);

    /// <summary>The last part.</summary>
    public string Name => File.Path[(File.Path.LastIndexOf('/') + 1)..];

    /// <exception cref="FormatException">It is none.</exception>
    public static FileAddress Parse(string text)
    {
        var path = text.StartsWith('/') ? text : $"/{text}";
        if (text.Length == 0 || path.Contains('\0')) throw new FormatException($"'{text}' is not the path of a file");
        // What sends an address would resolve them, and the request would be about something else.
        if (path.Split('/').Any(static part => part is "." or ".."))
            throw new FormatException($"'{text}' is not the path of a file: a component is . or ..");
        return new(path);
    }

    /// <summary>Something in this directory.</summary>
    public FileAddress Within(string relative) => new($"{Path.TrimEnd('/')}/{relative}");

    /// <summary>As it stands in an address of the API: every byte but the plainest is encoded, so that nobody changes it.</summary>
    public string Encoded => File.Path == "/" ? "/" : string.Join('/', File.Path.Split('/').Select(Encode));

    /// <summary>The path.</summary>
    public override string ToString() => Path;

    static string Encode(string part)
    {
        var text = new StringBuilder();
        foreach (var value in Encoding.UTF8.GetBytes(part))
        {
            var character = (char)value;
            if (char.IsAsciiLetterOrDigit(character) || character is '-' or '.' or '_' or '~') text.Append(character);
            else text.Append(CultureInfo.InvariantCulture, $"%{value:X2}");
        }

        return text.ToString();
    }
}
