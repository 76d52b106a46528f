using Mono.Cecil;
using Mono.Cecil.Cil;
using Mono.Cecil.Rocks;

namespace ChemScale.Engine.Native.Weaver;

/// <summary>
/// Makes TorchSharp keep its objects alive while native code works on them. TorchSharp reads an object's handle, a number, and calls native
/// code with it; from then on nothing holds the object, and a collection on another thread may run its finalizer, which frees the memory
/// under the call. The rule: each method that calls native code or reads a native address from an object keeps, to each of its returns,
/// <c>this</c>, its arguments, its locals, and every object that an address was read from.
/// </summary>
internal sealed class Weaver
{
    /// <summary>The attribute by which the engine knows a woven library when it starts.</summary>
    private const string Mark = "ChemScale.KeepsNativeObjectsAlive";

    private readonly ModuleDefinition module;
    private readonly MethodReference keepAlive;
    private readonly MethodReference toArray;
    private readonly MethodDefinition keepValue;
    private int methods, objects;

    private Weaver(ModuleDefinition module)
    {
        this.module = module;
        keepAlive = new MethodReference("KeepAlive", module.TypeSystem.Void, Core("System", "GC"));
        keepAlive.Parameters.Add(new ParameterDefinition(module.TypeSystem.Object));
        toArray = EnumerableToArray();
        keepValue = DefineKeepValue();
    }

    /// <summary>Writes the woven library.</summary>
    /// <returns>One line: what was done.</returns>
    public static string Weave(byte[] original, string folder, string output, string version)
    {
        using var resolver = new DefaultAssemblyResolver();
        resolver.AddSearchDirectory(folder);
        resolver.AddSearchDirectory(Path.GetDirectoryName(typeof(object).Assembly.Location));
        using AssemblyDefinition assembly = AssemblyDefinition.ReadAssembly(new MemoryStream(original), new ReaderParameters { AssemblyResolver = resolver });
        var weaver = new Weaver(assembly.MainModule);
        foreach (TypeDefinition type in assembly.MainModule.GetAllTypes().ToArray())
            foreach (MethodDefinition method in type.Methods)
                if (method.HasBody && method != weaver.keepValue) weaver.Weave(method);
        TensorCounts.Add(assembly.MainModule);
        weaver.AddMark(assembly, version);
        assembly.Write(output, new WriterParameters { DeterministicMvid = true, Timestamp = 0 });
        return $"{weaver.methods} methods woven, {weaver.objects} objects held in them";
    }

    private void Weave(MethodDefinition method)
    {
        MethodBody body = method.Body;
        if (!body.Instructions.Any(TouchesNative)) return;
        body.SimplifyMacros();
        VariableDefinition[] locals = [.. body.Variables.Where(v => !v.IsPinned && MayHold(v.VariableType))];
        List<VariableDefinition> held = [];
        foreach (Instruction instruction in body.Instructions.Where(GivesAddress).ToArray()) Hold(method, instruction, held);
        List<(Instruction[] Load, TypeReference Type)> kept = [];
        if (method.HasThis && MayHold(method.DeclaringType)) kept.Add((LoadThis(method), This(method.DeclaringType)));
        foreach (ParameterDefinition parameter in method.Parameters.Where(p => MayHold(p.ParameterType)))
            kept.Add(([Instruction.Create(OpCodes.Ldarg, parameter)], parameter.ParameterType));
        foreach (VariableDefinition local in locals.Concat(held.Where(v => MayHold(v.VariableType))))
            kept.Add(([Instruction.Create(OpCodes.Ldloc, local)], local.VariableType));
        if (kept.Count > 0)
        {
            // Locals are read at returns that may not have passed where they were set.
            body.InitLocals = true;
            foreach (Instruction exit in body.Instructions.Where(i => i.OpCode.Code == Code.Ret).ToArray())
                Replace(body, exit, [.. kept.SelectMany(k => k.Load.Select(Copy).Append(Keep(k.Type))), Instruction.Create(OpCodes.Ret)]);
            methods++;
            objects += kept.Count;
        }
        body.OptimizeMacros();
    }

    /// <summary>Puts the objects that an instruction takes from the stack into locals first.</summary>
    private void Hold(MethodDefinition method, Instruction instruction, List<VariableDefinition> held)
    {
        MethodBody body = method.Body;
        TypeReference[] taken = instruction.Operand is FieldReference field
            ? [This(field.DeclaringType)]
            : [.. Taken((MethodReference)instruction.Operand)];
        if (!Array.Exists(taken, MayHold)) return;
        Instruction first = instruction;
        while (first.Previous is { OpCode.OpCodeType: OpCodeType.Prefix } prefix) first = prefix;
        // An argument that keeps its value is held as it is.
        if (taken.Length == 1 && first.Previous is { OpCode.Code: Code.Ldarg } load && !IsSequence(taken[0])
            && !body.Instructions.Any(i => i.OpCode.Code is Code.Starg or Code.Ldarga && i.Operand == load.Operand))
        {
            return;
        }
        int lowest = Array.FindIndex(taken, MayHold);
        VariableDefinition[] places = [.. taken[lowest..].Select(type => new VariableDefinition(IsSequence(type) ? new ArrayType(Element(type)) : type))];
        List<Instruction> code = [];
        foreach (VariableDefinition place in places.Reverse())
        {
            body.Variables.Add(place);
            held.Add(place);
            // A sequence may make its objects while it is read, and hold none: its array does.
            if (place.VariableType is ArrayType array && IsSequence(taken[lowest + Array.IndexOf(places, place)]))
                code.Add(Instruction.Create(OpCodes.Call, ToArray(array.ElementType)));
            code.Add(Instruction.Create(OpCodes.Stloc, place));
        }
        foreach (VariableDefinition place in places) code.Add(Instruction.Create(OpCodes.Ldloc, place));
        for (Instruction i = first; ; i = i.Next)
        {
            code.Add(Copy(i));
            if (i == instruction) break;
        }
        ILProcessor processor = body.GetILProcessor();
        for (Instruction i = instruction; i != first; i = first.Next) processor.Remove(first.Next);
        Replace(body, first, code);
    }

    /// <summary>The old instruction becomes the first of the new ones: what jumps to it passes them all.</summary>
    private static void Replace(MethodBody body, Instruction old, IReadOnlyList<Instruction> code)
    {
        ILProcessor processor = body.GetILProcessor();
        old.OpCode = code[0].OpCode;
        old.Operand = code[0].Operand;
        Instruction last = old;
        foreach (Instruction instruction in code.Skip(1))
        {
            processor.InsertAfter(last, instruction);
            last = instruction;
        }
    }

    private Instruction[] LoadThis(MethodDefinition method)
    {
        Instruction load = Instruction.Create(OpCodes.Ldarg, method.Body.ThisParameter);
        return method.DeclaringType.IsValueType ? [load, Instruction.Create(OpCodes.Ldobj, This(method.DeclaringType))] : [load];
    }

    private Instruction Keep(TypeReference type)
    {
        if (IsReference(type)) return Instruction.Create(OpCodes.Call, keepAlive);
        var keep = new GenericInstanceMethod(keepValue);
        keep.GenericArguments.Add(type);
        return Instruction.Create(OpCodes.Call, keep);
    }

    private bool TouchesNative(Instruction instruction) => instruction.OpCode.Code == Code.Calli || GivesAddress(instruction)
        || (instruction.Operand is MethodReference method && IsNative(method));

    private bool IsNative(MethodReference method) => method.DeclaringType.Scope == module && method.Resolve() is { IsPInvokeImpl: true };

    /// <summary>Whether it reads an address from an object, or calls what may return one of an argument's.</summary>
    private bool GivesAddress(Instruction instruction) => instruction.Operand switch
    {
        FieldReference field => instruction.OpCode.Code is Code.Ldfld or Code.Ldflda && !IsValue(field.DeclaringType)
            && IsAddress(Inflate(field.FieldType, field)),
        MethodReference method => instruction.OpCode.Code is Code.Call or Code.Callvirt && !IsNative(method)
            && (IsAddress(Inflate(method.ReturnType, method))
                || method.Parameters.Any(p => p.ParameterType is ByReferenceType && IsAddress(Inflate(p.ParameterType, method)))),
        _ => false,
    };

    /// <summary>Whether values of a type say where native memory is.</summary>
    private bool IsAddress(TypeReference type)
    {
        switch (type)
        {
            case PointerType or FunctionPointerType:
                return true;
            case GenericInstanceType { ElementType.Name: "Span`1" or "ReadOnlySpan`1" } span:
                return IsValue(span.GenericArguments[0]) || IsAddress(span.GenericArguments[0]);
            case GenericInstanceType generic:
                return generic.GenericArguments.Any(IsAddress);
            case TypeSpecification { ElementType: var element }:
                return IsAddress(element);
            case GenericParameter:
                return false;
        }
        if (type.MetadataType is MetadataType.IntPtr or MetadataType.UIntPtr) return true;
        if (type.IsPrimitive || Definition(type) is not { } definition) return false;
        if (definition.FullName is "System.Runtime.InteropServices.GCHandle" or "System.Buffers.MemoryHandle") return true;
        if (!definition.IsValueType) return definition.BaseType?.FullName == "System.Runtime.InteropServices.SafeHandle";
        return definition.Module == module && definition.Fields.Any(f => !f.IsStatic && IsAddress(f.FieldType));
    }

    /// <summary>Whether values of a type are objects, or hold some.</summary>
    private static bool MayHold(TypeReference type) => type switch
    {
        ByReferenceType or PointerType or FunctionPointerType => false,
        ArrayType => true,
        GenericParameter parameter => !parameter.HasNotNullableValueTypeConstraint,
        RequiredModifierType or OptionalModifierType => MayHold(((TypeSpecification)type).ElementType),
        _ when type.IsPrimitive || type.MetadataType == MetadataType.Void => false,
        _ when !IsValue(type) => true,
        GenericInstanceType { GenericArguments: var arguments } when arguments.Any(MayHold) => true,
        // Of other libraries' structures only those count that hold what their type arguments say.
        _ => type.Scope is ModuleDefinition && Definition(type) is { IsEnum: false } definition
            && definition.Fields.Any(f => !f.IsStatic && f.FieldType is not GenericParameter && f.FieldType.FullName != definition.FullName && MayHold(f.FieldType)),
    };

    private static bool IsReference(TypeReference type) => type is ArrayType || (type is not GenericParameter && !IsValue(type));

    private static bool IsValue(TypeReference type) =>
        type is not ArrayType and not GenericParameter && (type.IsValueType || Definition(type) is { IsValueType: true });

    /// <summary>IEnumerable of objects: it may be any query.</summary>
    private static bool IsSequence(TypeReference type) =>
        type is GenericInstanceType { ElementType.FullName: "System.Collections.Generic.IEnumerable`1" } sequence && IsReference(sequence.GenericArguments[0]);

    private static TypeReference Element(TypeReference sequence) => ((GenericInstanceType)sequence).GenericArguments[0];

    /// <summary>What a call takes from the stack, in order.</summary>
    private static IEnumerable<TypeReference> Taken(MethodReference method)
    {
        if (method.HasThis)
        {
            TypeReference type = This(method.DeclaringType);
            // The receiver of a constrained call is an address too: no object.
            yield return IsValue(type) || type is GenericParameter ? new ByReferenceType(type) : type;
        }
        foreach (ParameterDefinition parameter in method.Parameters) yield return Inflate(parameter.ParameterType, method);
    }

    /// <summary>A type as code of its own names it.</summary>
    private static TypeReference This(TypeReference type)
    {
        if (type is not TypeDefinition { HasGenericParameters: true } definition) return type;
        var instance = new GenericInstanceType(definition);
        foreach (GenericParameter parameter in definition.GenericParameters) instance.GenericArguments.Add(parameter);
        return instance;
    }

    /// <summary>A type in a member's signature, with the arguments of that use in place of parameters.</summary>
    private static TypeReference Inflate(TypeReference type, MemberReference member)
    {
        switch (type)
        {
            case GenericParameter { Type: GenericParameterType.Method } parameter:
                return member is GenericInstanceMethod method ? method.GenericArguments[parameter.Position] : type;
            case GenericParameter parameter:
                return member.DeclaringType is GenericInstanceType declaring ? declaring.GenericArguments[parameter.Position] : type;
            case ArrayType array:
                return new ArrayType(Inflate(array.ElementType, member), array.Rank);
            case ByReferenceType reference:
                return new ByReferenceType(Inflate(reference.ElementType, member));
            case PointerType pointer:
                return new PointerType(Inflate(pointer.ElementType, member));
            case RequiredModifierType or OptionalModifierType:
                return Inflate(((TypeSpecification)type).ElementType, member);
            case GenericInstanceType generic:
                var inflated = new GenericInstanceType(generic.ElementType);
                foreach (TypeReference argument in generic.GenericArguments) inflated.GenericArguments.Add(Inflate(argument, member));
                return inflated;
            default:
                return type;
        }
    }

    /// <summary>Null for a type of a library that the build does not have at hand: TorchSharp's summaries write Protobuf.</summary>
    private static TypeDefinition? Definition(TypeReference type)
    {
        try
        {
            return type.Resolve();
        }
        catch (AssemblyResolutionException)
        {
            return null;
        }
    }

    private static Instruction Copy(Instruction instruction)
    {
        Instruction copy = Instruction.Create(OpCodes.Nop);
        copy.OpCode = instruction.OpCode;
        copy.Operand = instruction.Operand;
        return copy;
    }

    private TypeReference Core(string space, string name) => new(space, name, module, module.TypeSystem.CoreLibrary);

    private MethodReference EnumerableToArray()
    {
        IMetadataScope linq = module.AssemblyReferences.First(r => r.Name == "System.Linq");
        var method = new MethodReference("ToArray", module.TypeSystem.Void, new TypeReference("System.Linq", "Enumerable", module, linq));
        var element = new GenericParameter("T", method);
        method.GenericParameters.Add(element);
        var sequence = new GenericInstanceType(Core("System.Collections.Generic", "IEnumerable`1"));
        sequence.ElementType.GenericParameters.Add(new GenericParameter("T", sequence.ElementType));
        sequence.GenericArguments.Add(element);
        method.Parameters.Add(new ParameterDefinition(sequence));
        method.ReturnType = new ArrayType(element);
        return method;
    }

    private GenericInstanceMethod ToArray(TypeReference element)
    {
        var method = new GenericInstanceMethod(toArray);
        method.GenericArguments.Add(element);
        return method;
    }

    /// <summary>What GC.KeepAlive is for objects, for structures that hold some, spans among them: a call that is never inlined.</summary>
    private MethodDefinition DefineKeepValue()
    {
        const GenericParameterAttributes AllowsRefStruct = (GenericParameterAttributes)0x20;
        var type = new TypeDefinition("ChemScale", "Lifetimes",
            TypeAttributes.NotPublic | TypeAttributes.Abstract | TypeAttributes.Sealed, module.TypeSystem.Object);
        var method = new MethodDefinition("KeepAlive", MethodAttributes.Assembly | MethodAttributes.Static | MethodAttributes.HideBySig, module.TypeSystem.Void)
        {
            NoInlining = true,
            NoOptimization = true,
        };
        var parameter = new GenericParameter("T", method) { Attributes = AllowsRefStruct };
        method.GenericParameters.Add(parameter);
        method.Parameters.Add(new ParameterDefinition("value", ParameterAttributes.None, parameter));
        method.Body.GetILProcessor().Emit(OpCodes.Ret);
        type.Methods.Add(method);
        module.Types.Add(type);
        return method;
    }

    private void AddMark(AssemblyDefinition assembly, string version)
    {
        var constructor = new MethodReference(".ctor", module.TypeSystem.Void, Core("System.Reflection", "AssemblyMetadataAttribute")) { HasThis = true };
        constructor.Parameters.Add(new ParameterDefinition(module.TypeSystem.String));
        constructor.Parameters.Add(new ParameterDefinition(module.TypeSystem.String));
        var attribute = new CustomAttribute(constructor);
        attribute.ConstructorArguments.Add(new CustomAttributeArgument(module.TypeSystem.String, Mark));
        attribute.ConstructorArguments.Add(new CustomAttributeArgument(module.TypeSystem.String, version));
        assembly.CustomAttributes.Add(attribute);
    }
}
